/** The load's end of a connection. */
import { connect, type OnReadOpts, type Socket, type TcpNetConnectOpts } from 'node:net'
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { pieceLength } from './wire.ts'

/** One for all: what is read is used up before the next read. */
const reading = Buffer.allocUnsafeSlow(pieceLength)

export class Link<S extends Socket = Socket> {
  readonly socket: S
  /** What comes now. The bytes are overwritten by the next read. */
  take: (bytes: Buffer) => void = () => undefined

  constructor(dial: (onread: OnReadOpts) => S) {
    const callback = (count: number) => {
      this.take(reading.subarray(0, count))
      return true
    }
    this.socket = dial({ buffer: () => reading, callback })
    // Not one may fail: the figures would be of something else.
    const failed = (error?: Error) => {
      throw new Error(`a connection has broken: ${error?.message ?? 'the other side ended it'}`)
    }
    this.socket.on('error', failed).on('end', failed)
  }

  static plain(options: TcpNetConnectOpts): Link {
    return new Link((onread) => connect({ ...options, noDelay: true, onread }))
  }

  static tls(options: ConnectionOptions, ready: () => void): Link<TLSSocket> {
    return new Link((onread) => tlsConnect({ ...options, onread } as ConnectionOptions, ready).setNoDelay(true))
  }

  /** Collects until `read` answers something, and says that. */
  next<T>(read: (bytes: Buffer) => T | undefined, then: (value: T) => void): void {
    let collected = Buffer.alloc(0)
    this.take = (bytes) => {
      collected = Buffer.concat([collected, bytes])
      const value = read(collected)
      if (value !== undefined) then(value)
    }
  }

  /** At once, and whatever is still on its way is nobody's. */
  close(): void {
    this.take = () => undefined
    this.socket.removeAllListeners('end').destroy()
  }
}
