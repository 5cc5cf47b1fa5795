/**
 * How sockets read whose bytes are only passed on. Node allocates 64 KB for each read and leaves it to the collector, which costs more than
 * passing the bytes: so these read into one buffer for all, and while much comes, each into one of its own, again and again.
 */
import { type OnReadOpts, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { common, few, giveBack, takeBuffer } from './read-buffers.ts'
import { readRecords } from './record-reading.ts'

/** Answers whether more may come now. If not, nothing is read until `resume`. `isLent`: what comes next is written over these bytes. */
export type Take = (bytes: Buffer, isLent: boolean) => boolean

/** A read of so much is one of many. */
const many = 16 * 1024

const readings = new WeakMap<Duplex, Reading>()

class Reading {
  socket: Socket | undefined
  take: Take | undefined
  #own: Buffer | undefined

  readonly onread: OnReadOpts = {
    buffer: () => this.#own ?? common,
    callback: (count, into) => this.#read((into as Buffer).subarray(0, count), into === common),
  }

  #read(bytes: Buffer, isCommon: boolean): boolean {
    const { socket, take } = this
    if (!socket) return false
    // What the stream still holds comes first.
    const isDirect = take !== undefined && socket.readableFlowing === true && socket.readableLength === 0
    if (!isDirect) return socket.push(Buffer.from(bytes))
    if (bytes.length >= many) this.#own ??= takeBuffer()
    else if (bytes.length < few) this.leave()
    return isCommon ? take(Buffer.from(bytes), false) : take(bytes, true)
  }

  /** Its own buffer is never another's: bytes may still be written from it. */
  leave(): void {
    if (this.#own) giveBack(this.#own)
    this.#own = undefined
  }
}

/** For a socket that is about to be made: what `make` gets is for `net.connect`. */
export function readingWith(make: (onread: OnReadOpts) => Socket): Socket {
  const reading = new Reading()
  const socket = make(reading.onread)
  reading.socket = socket
  socket.once('close', () => reading.leave())
  readings.set(socket, reading)
  return socket
}

/** What Node keeps of a socket, as far as it is touched here. */
interface Inner {
  _handle: object | null
}

/**
 * For a socket that was accepted, paused: the socket to use in its place. Node has `onread` for sockets that dial alone, so the handle is
 * put into another socket, for which there is no public way: where Node should have changed that, the same socket is answered.
 */
export function readingOf(accepted: Socket): Socket {
  const inner = accepted as unknown as Inner
  const handle = inner._handle
  if (!handle || !('readStart' in handle)) return accepted
  inner._handle = null
  const socket = readingWith((onread) => {
    const options: object = { handle, onread, allowHalfOpen: accepted.allowHalfOpen }
    return new Socket(options)
  })
  // The server counts the one that it made.
  socket.once('close', () => accepted.destroy())
  return socket
}

/** Gives all that comes from now on to `take`, behind what the stream holds. */
export function takeFrom(stream: Duplex, take: Take): void {
  const reading = readings.get(stream)
  if (reading) reading.take = take
  else if (stream instanceof TLSSocket) readRecords(stream, take)
  const heard = (bytes: Buffer) => {
    if (!take(bytes, false)) stream.pause()
  }
  stream.on('data', heard).resume()
}
