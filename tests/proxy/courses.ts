/** Bytes that go through something and come back, in pieces of all sizes and with pauses. */
import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { atEnd } from './proxy.ts'

/** The port of a server that ends with the test. */
export const listening = (serve: (socket: Socket) => void, pauseOnConnect = false): Promise<number> =>
  new Promise((done) => {
    const open = new Set<Socket>()
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect }, (socket) => {
      open.add(socket.on('error', () => undefined))
      serve(socket)
    })
    atEnd(() => {
      for (const socket of open) socket.destroy()
      server.close()
    })
    server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port))
  })

export const echoing = (): Promise<number> => listening((socket) => void socket.pipe(socket))

export const ofItsOwn = (seed: number, length: number): Buffer =>
  Buffer.alloc(length, createHash('sha256').update(String(seed)).digest())
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Sends pieces of all sizes and reads with pauses; answers what came back. */
export function courseOf(reach: (opened: () => void) => Socket, bytes: Buffer): Promise<Buffer> {
  const got: Buffer[] = []
  return new Promise((done, fail) => {
    const socket = reach(() => {
      for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7 + 13) % 300_000)
        socket.write(bytes.subarray(at, at + size))
      socket.end()
    })
    socket.on('data', (piece) => {
      got.push(piece)
      if (got.length % 3 > 0) return
      socket.pause()
      setTimeout(() => socket.resume(), 1)
    })
    socket.once('error', fail).once('end', () => done(Buffer.concat(got)))
  })
}
