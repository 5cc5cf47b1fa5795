/**
 * A CONNECT stream of HTTP/2 as what a splice takes (RFC 9113 section 8.5): END_STREAM is an end, RST_STREAM breaks it off. Node ends a stream
 * that was reset, and then it looks complete.
 */
import { constants, type ServerHttp2Stream } from 'node:http2'
import { Duplex } from 'node:stream'

const { NGHTTP2_CONNECT_ERROR, NGHTTP2_NO_ERROR } = constants

/** Flow control is the stream's own: it is read when somebody reads here, and a piece is written once the one before was taken. */
export class Http2Tunnel extends Duplex {
  readonly #stream: ServerHttp2Stream
  #isRead = false

  constructor(stream: ServerHttp2Stream) {
    super({ allowHalfOpen: true })
    this.#stream = stream
    const broken = () => void this.destroy(new Error('the stream was reset'))
    stream.on('aborted', broken).on('error', broken)
    stream.once('close', () => (this.readableEnded && this.writableFinished ? this.destroy() : broken()))
    // Somebody else says what became of it.
    this.on('error', () => undefined)
  }

  override _read(): void {
    if (this.#isRead) return void this.#stream.resume()
    this.#isRead = true
    this.#stream.on('data', (piece: Buffer) => this.push(piece) || this.#stream.pause())
    this.#stream.once('end', () => {
      // Reset, after our side has ended: nobody is told of that otherwise.
      if (this.#stream.rstCode !== NGHTTP2_NO_ERROR) this.destroy(new Error('the stream was reset'))
      else if (!this.destroyed) this.push(null)
    })
  }

  override _write(piece: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.write(piece, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#stream.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isWhole = error === null && this.writableFinished
    if (!this.#stream.closed) this.#stream.close(isWhole ? NGHTTP2_NO_ERROR : NGHTTP2_CONNECT_ERROR)
    done(error)
  }
}
