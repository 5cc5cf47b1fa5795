/** A server that speaks enough of Postgres: it lets everybody in, and answers a query with what the test says. */
import { createServer, type Socket } from 'node:net'
import { atEnd } from '../proxy.ts'

export interface Database {
  readonly uri: string
  readonly port: number
  /** Each connection, from the first byte. */
  readonly connections: readonly Served[]
  stop(): Promise<void>
}

export interface Served {
  readonly socket: Socket
  /** All that came, latin1. */
  readonly said: () => string
  readonly ended: () => boolean
  /** Why it closed: an error's code, or undefined. */
  readonly closed: Promise<string | undefined>
}

export const message = (type: string, body: Uint8Array | string = ''): Buffer => {
  const bytes = Buffer.from(body as string, 'latin1')
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeUInt32BE(bytes.length + 4, 1)
  return Buffer.concat([head, bytes])
}

export const startup = (parameters: Readonly<Record<string, string>>): Buffer => {
  const body = `${Object.entries(parameters)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join('')}\0`
  const head = Buffer.alloc(8)
  head.writeUInt32BE(Buffer.byteLength(body) + 8)
  head.writeUInt32BE(0x30000, 4)
  return Buffer.concat([head, Buffer.from(body)])
}

export const welcome = Buffer.concat([message('R', '\0\0\0\0'), message('Z', 'I')])

/** Answers SSLRequest with `N`, then a startup message with a welcome, then nothing but what `onQuery` writes. */
export const politely =
  (onQuery: (socket: Socket, bytes: Buffer) => void, from: 'ssl' | 'startup' = 'ssl') =>
  (socket: Socket): void => {
    let state: 'ssl' | 'startup' | 'ready' = from
    socket.on('data', (bytes: Buffer) => {
      if (state === 'ssl') {
        state = 'startup'
        socket.write('N')
      } else if (state === 'startup') {
        state = 'ready'
        socket.write(welcome)
      } else onQuery(socket, bytes)
    })
  }

export const echo = (socket: Socket, bytes: Buffer): void => {
  if (bytes[0] === 0x51) socket.write(Buffer.concat([message('D', bytes.subarray(5)), message('Z', 'I')]))
}

export async function startDatabase(
  onConnection: (socket: Socket) => void = politely(echo),
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<Database> {
  const connections: Served[] = []
  const server = createServer({ ...options }, (socket) => {
    let said = ''
    let ended = false
    let code: string | undefined
    socket.on('data', (bytes: Buffer) => {
      said += bytes.toString('latin1')
    })
    socket.on('end', () => {
      ended = true
    })
    socket.on('error', (error: { code?: string }) => {
      code = error.code
    })
    const closed = new Promise<string | undefined>((done) => socket.once('close', () => done(code)))
    connections.push({ socket, said: () => said, ended: () => ended, closed })
    onConnection(socket)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  const stop = () => {
    for (const { socket } of connections) socket.destroy()
    return new Promise<void>((done) => server.close(() => done()))
  }
  atEnd(stop)
  return { uri: `127.0.0.1:${port}`, port, connections, stop }
}
