/** Accepts connections, each in a place that another may have to leave for it, and lets them go when the proxy stops. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Duration } from '../core/model.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { Connection } from './connection.ts'
import type { World } from './exchange.ts'
import { makeSlots } from './slots.ts'

export interface Listening {
  /** Takes no more connections, ends each as soon as it is idle, and after the grace those that are not. */
  stop(grace: Duration): Promise<void>
}

type Take = (connection: Connection) => void

/** @throws SetupProblem */
export async function listen(hosts: readonly string[], port: number, world: World, take: Take): Promise<Listening> {
  const { log, limits } = world
  const open = new Set<Connection>()
  const accept = acceptor(open, world, take)
  const servers: Server[] = []
  for (const host of hosts) {
    // Two listeners on one port, one of them for all of IPv6, must not meet in the mapped half of it.
    const options = { host, port, ipv6Only: hosts.length > 1, backlog: limits.backlog }
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, accept)
    const code = await new Promise<string | undefined>((done) => {
      server.once('error', (error: { code?: string }) => done(error.code ?? 'unknown error'))
      server.listen(options, () => done(undefined))
    })
    if (code === undefined) servers.push(server)
    else if (!hasNoIpv6(host, code) || hosts.length === 1) {
      for (const other of servers) other.close()
      throw problem(host, port, code)
    }
    // Such as EMFILE: libuv waits and tries again, and so do clients.
    server.on('error', (error) => log({ level: 'error', message: 'cannot accept', detail: error.message }))
  }
  return { stop: (grace) => stop(servers, open, grace) }
}

/** "localhost" means either family, and some machines have only one. */
const hasNoIpv6 = (host: string, code: string) => host === '::1' && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(code)

function problem(host: string, port: number, code: string): SetupProblem {
  if (code === 'EADDRINUSE') {
    return new SetupProblem(`port ${port} is in use`, 'stop what uses it, or set SALLYPORT_PROXY_PORT to another port')
  }
  const hint = 'set SALLYPORT_PROXY_PORT and SALLYPORT_PROXY_HOST to what this machine allows'
  return new SetupProblem(`port ${port} of ${host} cannot be opened (${code})`, hint)
}

function acceptor(open: Set<Connection>, { log, limits }: World, take: Take): (raw: Socket) => void {
  const slots = makeSlots(limits.connections, limits.connectionsOfOneNetwork)
  return (raw) => {
    raw.on('error', () => raw.destroy())
    // undefined: it is gone already.
    const address = raw.remoteAddress?.replace(/^::ffff:/i, '')
    if (address === undefined) return void raw.destroy()
    const connection = new Connection(raw, address, log)
    connection.holds(slots.take(address, (code) => connection.refuse(code)))
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
