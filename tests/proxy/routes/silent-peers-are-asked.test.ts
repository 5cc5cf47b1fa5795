/** A peer that is gone without a word is found out: both sockets of a connection have the kernel's keep-alive. */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from 'vitest'
import { message, records, sni } from '../../core/hello-writer.ts'
import { until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { connectTo, startRoutes } from './routes.ts'

/** Of the established sockets between these ports, as the first sees it: which timer runs (Documentation/networking/proc_net_tcp). */
function timerOf(local: number, remote: number): string | undefined {
  const port = (address = '') => Number.parseInt(address.split(':')[1] ?? '', 16)
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const row = rows.find(([, from, to, state]) => port(from) === local && port(to) === remote && state === '01')
  return row?.[5]?.split(':')[0]
}

test('towards the client and towards the service', async (context) => {
  if (process.platform !== 'linux') return context.skip('this machine has no /proc')
  const service = await startService(() => undefined)
  const proxy = await startRoutes([{ backends: [service.uri] }])
  const client = await connectTo(proxy)
  client.socket.write(records(message(sni('a.test'))))
  await until(() => service.connections.length === 1)
  const { localPort = 0 } = client.socket
  const { remotePort = 0 } = service.connections[0]?.socket ?? {}
  // 02: keep-alive. Ours alone: the test's own sockets have none.
  await expect.poll(() => timerOf(proxy.port, localPort)).toBe('02')
  await expect.poll(() => timerOf(remotePort, service.port)).toBe('02')
  await expect.poll(() => timerOf(localPort, proxy.port)).toBe('00')
})
