/**
 * The local proxy: a listener on loopback for programs that speak their own protocol and nothing of ours. Each connection is a session of
 * its own. Who may have it is asked by whoever calls; here are its sockets alone.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { DbPrincipal } from '../core/access/resource.ts'
import { seconds } from '../core/model.ts'
import { postgresError, type sqlStates } from '../core/route/postgres.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { holdBytes } from './local-bytes.ts'
import { readPreamble } from './local-postgres.ts'
import { splice } from './local-splice.ts'

export type Opened =
  /** Allows half-open, and somebody hears its errors. */
  | { readonly kind: 'tunnel'; readonly stream: Duplex }
  | { readonly kind: 'refused'; readonly state: keyof typeof sqlStates; readonly message: string }

export interface Teller {
  /** Why a connection was closed, for whoever looks into it. */
  tell(line: string): void
}

export interface LocalNeeds extends Teller {
  /** Opens a session, and may give up once `gone` says that nobody waits for it. Never rejects. */
  open(principal: DbPrincipal, gone: AbortSignal): Promise<Opened>
}

export interface LocalBytesNeeds extends Teller {
  /** The same; `ended` says that the client will say no more: it may wait for an answer, or have gone away. */
  open(gone: AbortSignal, ended: AbortSignal): Promise<Opened>
}

export interface LocalProxy {
  readonly port: number
  /** Nothing listens any more, and every session is over. */
  close(): void
}

export const localHost = '127.0.0.1'
export const mostConnections = 100
const linger = seconds(2)

/** Port 0: any that is free. @throws SetupProblem */
export const listenForPostgres = (port: number, needs: LocalNeeds): Promise<LocalProxy> =>
  listen(port, needs, (socket) => servePostgres(socket, needs))

/** For any protocol: nothing is looked at, so a refusal is a connection that is reset. @throws SetupProblem */
export const listenForBytes = (port: number, needs: LocalBytesNeeds): Promise<LocalProxy> =>
  listen(port, needs, (socket) => serveBytes(socket, needs))

async function listen(port: number, { tell }: Teller, serve: (socket: Socket) => Promise<void>): Promise<LocalProxy> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    // Followed by `close`, which is heard wherever it matters.
    socket.on('error', () => undefined)
    void serve(socket)
  })
  server.maxConnections = mostConnections
  server.on('drop', () => tell(`more than ${mostConnections} connections`))
  await bind(server, port)
  server.on('error', (error) => tell(`cannot accept: ${error.message}`))
  const close = () => {
    server.close()
    for (const socket of open) socket.destroy()
  }
  return { port: (server.address() as AddressInfo).port, close }
}

export function bind(server: Server, port: number): Promise<void> {
  return new Promise((done, fail) => {
    const failed = (error: { code?: string }) => fail(portProblem(port, error.code ?? 'unknown error'))
    server.once('error', failed)
    server.listen(port, localHost, () => {
      server.off('error', failed)
      done()
    })
  })
}

function portProblem(port: number, code: string): SetupProblem {
  const what = code === 'EADDRINUSE' ? `port ${port} is in use` : `port ${port} cannot be opened (${code})`
  return new SetupProblem(what, 'give another one with --port, or none for any that is free')
}

async function servePostgres(socket: Socket, { open, tell }: LocalNeeds): Promise<void> {
  const preamble = await readPreamble(socket)
  if (preamble.kind === 'refused') {
    tell(`closed a connection: ${preamble.why}`)
    return turnAway(socket, preamble.answer)
  }
  const { user, database } = preamble.startup
  const gone = whenGone(socket)
  const opened = await open({ db_user: user, db_name: database }, gone)
  if (opened.kind === 'refused') return turnAway(socket, postgresError(opened.state, opened.message))
  if (gone.aborted) return void opened.stream.destroy()
  opened.stream.write(preamble.bytes)
  splice(socket, opened.stream)
}

async function serveBytes(socket: Socket, { open }: LocalBytesNeeds): Promise<void> {
  const { gone, ended, release } = holdBytes(socket)
  const opened = await open(gone, ended)
  const bytes = release()
  // A clean end would look like the server's own word.
  if (opened.kind === 'refused') return void socket.resetAndDestroy()
  if (gone.aborted) return void opened.stream.destroy()
  opened.stream.write(bytes)
  splice(socket, opened.stream)
}

/** A client that has said its last before its session began waits for nothing. */
function whenGone(socket: Socket): AbortSignal {
  const gone = new AbortController()
  const abort = () => gone.abort()
  if (socket.destroyed || socket.readableEnded) abort()
  socket.once('end', abort).once('close', abort)
  return gone.signal
}

/** What was not read of the client would make the kernel reset the connection, and the answer would be lost. */
function turnAway(socket: Socket, answer: Uint8Array | undefined): void {
  if (answer === undefined) return void socket.destroy()
  socket.resume().end(answer)
  const late = setTimeout(() => socket.destroy(), linger)
  socket.once('close', () => clearTimeout(late))
}
