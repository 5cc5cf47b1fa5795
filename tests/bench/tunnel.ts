/**
 * TLS ended at the proxy, and bytes passed on to a plain backend. Ours is the whole way of a session: TLS 1.3 with ALPN `sallyport`,
 * discovery with a token, CONNECT with a grant for this process, a tap and a proof of this connection; then PostgreSQL's own
 * startup. HAProxy and nginx end TLS and ask for nothing else: for them the figures of openings are a floor, not a comparison of
 * like with like. Grants are made before a stretch, and their making is not measured.
 */

import { installDebianPackages } from '../house/debian.ts'
import { readOptions } from './options.ts'
import { bulk, connections, idle, roundTrips } from './plane/measures.ts'
import { debianPackages, haproxyOf, nginxOf, versions } from './plane/peers.ts'
import { sections } from './plane/report.ts'
import { compete } from './plane/rounds.ts'
import { sessions } from './plane/sallyport.ts'
import { machine } from './report.ts'

/** At a time as many as may wait for one user's taps. */
const defaults = { rounds: 3, seconds: 3, at_once: 4 }
const measures = [
  connections,
  bulk('upload', 1),
  bulk('upload', 16),
  bulk('download', 1),
  bulk('download', 16),
  roundTrips(100),
  idle(250),
]
const contenders = [sessions, haproxyOf('tls'), nginxOf('tls')]

export async function tunnel(args: readonly string[]): Promise<unknown> {
  installDebianPackages(debianPackages)
  const { settings, contenders: chosen } = readOptions(args, defaults, contenders)
  const present = chosen.filter(({ missing }) => missing?.() === undefined)
  const measured = await compete(present, measures, settings)
  return {
    benchmark: 'tunnel',
    machine: { ...machine(), ...versions() },
    settings,
    setups: Object.fromEntries(present.map(({ name, setup }) => [name, setup])),
    ...sections(measured, sessions.name),
  }
}
