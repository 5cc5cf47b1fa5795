/** Accepts connections, each in a place that another may have to leave for it, and lets them go when the proxy stops. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Duration } from '../core/model.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { Connection } from './connection.ts'
import type { World } from './exchange.ts'
import { isOf, type Listener, mainName } from './listeners.ts'
import { readingOf } from './reading.ts'
import type { Slots } from './slots.ts'

export interface Listening {
  /** Takes no more connections, ends each as soon as it is idle, and after the grace those that are not. */
  stop(grace: Duration): Promise<void>
}

const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const

type Take = (connection: Connection) => void

/** @throws SetupProblem */
export async function listen(listener: Listener, world: World, slots: Slots, take: Take): Promise<Listening> {
  const { hosts, port } = listener
  const { log, limits } = world
  const open = new Set<Connection>()
  const accept = acceptor(listener, open, world, slots, take)
  const servers: Server[] = []
  for (const host of hosts) {
    // Two listeners on one port, one of them for all of IPv6, must not meet in the mapped half of it.
    const options = { host, port, ipv6Only: hosts.length > 1, backlog: limits.backlog }
    const server = createServer({ ...socketOptions, pauseOnConnect: true }, (accepted) => accept(readingOf(accepted)))
    const code = await new Promise<string | undefined>((done) => {
      server.once('error', (error: { code?: string }) => done(error.code ?? 'unknown error'))
      server.listen(options, () => done(undefined))
    })
    if (code === undefined) servers.push(server)
    else if (!hasNoIpv6(host, code) || hosts.length === 1) {
      for (const other of servers) other.close()
      throw problem(listener, host, code)
    }
    // Such as EMFILE: libuv waits and tries again, and so do clients.
    server.on('error', (error) => log({ level: 'error', message: 'cannot accept', detail: error.message }))
  }
  return { stop: (grace) => stop(servers, open, grace) }
}

/** "localhost" means either family, and some machines have only one. */
const hasNoIpv6 = (host: string, code: string) => host === '::1' && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(code)

function problem({ name, port }: Listener, host: string, code: string): SetupProblem {
  const isMain = name === mainName
  if (code === 'EADDRINUSE') {
    const setting = isMain ? 'set SALLYPORT_PROXY_PORT' : `set the port of listener ${name}`
    return new SetupProblem(`port ${port} is in use`, `stop what uses it, or ${setting} to another port`)
  }
  const settings = isMain ? 'SALLYPORT_PROXY_PORT and SALLYPORT_PROXY_HOST' : `port and hosts of listener ${name}`
  return new SetupProblem(
    `port ${port} of ${host} cannot be opened (${code})`,
    `set ${settings} to what this machine allows`,
  )
}

type Accept = (raw: Socket) => void

function acceptor(listener: Listener, open: Set<Connection>, { log, limits }: World, slots: Slots, take: Take): Accept {
  const { proxyProtocol } = listener
  return (raw) => {
    raw.on('error', () => raw.destroy())
    // undefined: it is gone already.
    const address = raw.remoteAddress?.replace(/^::ffff:/i, '')
    if (address === undefined) return void raw.destroy()
    const connection = new Connection(raw, address, log)
    const isTrusted = proxyProtocol !== undefined && isOf(address, proxyProtocol.trusted)
    if (proxyProtocol && !isTrusted) return connection.refuse('proxy_peer_untrusted')
    connection.holds(slots.take(address, (code) => connection.refuse(code), isTrusted))
    open.add(connection)
    raw.once('close', () => open.delete(connection))
    connection.within(limits.handshakeMs, 'handshake_too_slow')
    take(connection)
  }
}

async function stop(servers: readonly Server[], open: ReadonlySet<Connection>, graceMs: Duration): Promise<void> {
  const closed = servers.map((server) => new Promise<void>((done) => server.close(() => done())))
  for (const connection of open) connection.endWhenIdle()
  const grace = setTimeout(() => {
    for (const connection of open) connection.reset()
  }, graceMs)
  await Promise.all(closed)
  clearTimeout(grace)
}
