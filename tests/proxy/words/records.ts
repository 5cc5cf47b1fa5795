/** A TLS client whose records a test cuts: each piece is one of its own, and they leave together or one by one. */

import { duplexPair } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { atEnd, type Reachable, until } from '../proxy.ts'
import { dialPlain } from '../sessions/certificate.ts'

export interface Cutting {
  readonly socket: TLSSocket
  readonly said: () => string
  readonly closed: Promise<void>
  /** Each piece in a record of its own, all of them in one write to the network. */
  together(pieces: readonly string[]): Promise<void>
}

/** RFC 8446 section 5.1: 5 bytes before each, of which the last two are its length. */
function recordsIn(bytes: Buffer): number {
  let count = 0
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) count++
  return count
}

export async function cutting(proxy: Reachable, alpn = 'http/1.1'): Promise<Cutting> {
  const raw = await dialPlain(proxy)
  const [ours, theirs] = duplexPair()
  let held: Buffer[] | undefined
  raw.on('error', () => theirs.destroy()).pipe(theirs)
  theirs.on('data', (piece: Buffer) => (held ? void held.push(piece) : void raw.write(piece)))
  for (const end of [ours, theirs]) end.on('error', () => undefined)
  const socket = connect({ socket: ours, ca: proxy.ca, servername: 'localhost', ALPNProtocols: [alpn] })
  atEnd(() => socket.destroy())
  await new Promise<void>((done, fail) => void socket.once('secureConnect', done).once('error', fail))
  let said = ''
  socket.setEncoding('latin1').on('data', (part: string) => {
    said += part
  })
  socket.on('error', () => undefined)
  const closed = new Promise<void>((done) => raw.once('close', () => done()))
  const together = async (pieces: readonly string[]) => {
    const all: Buffer[] = []
    held = all
    for (const piece of pieces) await new Promise((done) => socket.write(piece, 'latin1', done))
    await until(() => recordsIn(Buffer.concat(all)) === pieces.length)
    held = undefined
    raw.write(Buffer.concat(all))
  }
  return { socket, said: () => said, closed, together }
}
