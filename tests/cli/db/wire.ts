/** A Postgres client by hand, on raw sockets, and servers that it may reach. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { concat, utf8 } from '../../../core/lib/bytes.ts'

const u32 = (value: number) => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** With its length in front. */
export const message = (...parts: Uint8Array[]): Uint8Array => {
  const body = concat(...parts)
  return concat(u32(body.length + 4), body)
}

export const sslRequest = message(u32(80_877_103))
export const gssencRequest = message(u32(80_877_104))
export const cancelRequest = message(u32(80_877_102), u32(1), u32(2))
export const startup = (parameters: Readonly<Record<string, string>>, version = 0x30000): Uint8Array =>
  message(u32(version), utf8(`${Object.entries(parameters).flat().join('\0')}\0\0`))
export const reader = { user: 'reader', database: 'app' }

export interface Wire {
  readonly socket: Socket
  send(bytes: Uint8Array | string): void
  said(): string
  /** How it ended: `end` said goodbye, `reset` broke off. */
  readonly ended: Promise<'end' | 'reset'>
  until(pattern: RegExp): Promise<void>
}

export function dial(port: number): Wire {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part
  })
  const ended = new Promise<'end' | 'reset'>((done) => {
    socket.once('error', () => done('reset')).once('end', () => done('end'))
  })
  const until = (pattern: RegExp) => expect.poll(() => text, { timeout: 15_000 }).toMatch(pattern)
  return { socket, send: (bytes) => void socket.write(bytes), said: () => text, ended, until }
}

/** Listens until the test is over. */
export async function serve(take: (socket: Socket) => void | Promise<void>): Promise<number> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    void take(socket)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

/** Says what it heard, and ends when its client has. */
export const echo = (): Promise<number> => serve((socket) => void socket.pipe(socket))
