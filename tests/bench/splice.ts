/**
 * TLS passed through by its server name: connections a second, bulk, round trips, and what they cost the proxy, beside HAProxy and
 * nginx. No handshake takes place: a client sends a ClientHello that Chrome once sent, and goes on in the clear with a backend that
 * reads the hello too. That is all a proxy sees of a passthrough, and neither end spends time on cryptography.
 */
import { installDebianPackages } from '../house/debian.ts'
import { readOptions } from './options.ts'
import type { Contender } from './plane/contender.ts'
import { bulk, connections, idle, roundTrips } from './plane/measures.ts'
import { debianPackages, haproxyOf, nginxOf, versions } from './plane/peers.ts'
import { sections } from './plane/report.ts'
import { compete } from './plane/rounds.ts'
import { passthrough } from './plane/sallyport.ts'
import { machine } from './report.ts'

const defaults = { rounds: 3, seconds: 3, at_once: 32 }
const measures = [
  connections,
  bulk('upload', 1),
  bulk('upload', 16),
  bulk('download', 1),
  bulk('download', 16),
  roundTrips(100),
  idle(1000),
]

const direct: Contender = {
  name: 'direct',
  setup: 'no proxy: the most that load and backend can do',
  start: async ({ backend }) => ({
    server: undefined,
    reach: async () => ({ by: 'hello', port: backend }),
    stop: async () => undefined,
  }),
}
const peers = [haproxyOf('hello'), haproxyOf('hello', 'auto'), haproxyOf('hello', 'always'), nginxOf('hello')]

export async function splice(args: readonly string[]): Promise<unknown> {
  installDebianPackages(debianPackages)
  const { settings, contenders } = readOptions(args, defaults, [passthrough, direct, ...peers])
  const present = contenders.filter(({ missing }) => missing?.() === undefined)
  const measured = await compete(present, measures, settings)
  return {
    benchmark: 'splice',
    machine: { ...machine(), ...versions() },
    settings,
    setups: Object.fromEntries(present.map(({ name, setup }) => [name, setup])),
    skipped: Object.fromEntries(contenders.flatMap(({ name, missing }) => (missing?.() ? [[name, missing()]] : []))),
    ...sections(measured, passthrough.name),
  }
}
