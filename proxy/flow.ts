/** One direction of a connection: bytes, and the end behind the last of them. Whoever reads slowly is waited for. */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { fullRecord } from './read-buffers.ts'
import { takeFrom } from './reading.ts'

/** What may wait to be written, of pieces that are no one else's. */
const mostWaiting = 256 * 1024

/** `passed`: each piece, before it is passed on. The function stops it: what comes then is nobody's, and only its end is seen. */
export function flow(from: Duplex, to: Duplex, passed: (piece: Uint8Array) => void): () => void {
  let isOver = false
  let isWaiting = false
  let isGathering = false
  let unwritten = 0
  // Not before that, even if it is over: what is read next may be written over what still waits.
  const written = () => {
    unwritten--
    if (unwritten > 0 || !isWaiting) return
    isWaiting = false
    from.resume()
  }
  const gathered = () => {
    isGathering = false
    to.uncork()
  }
  // A stream of another kind may still hold what it has called written, such as one end of a pair whose other end reads late.
  const mayKeep = !(to instanceof Socket)
  takeFrom(from, (bytes, isTheReaders) => {
    if (isOver) return true
    const isLent = isTheReaders && !mayKeep
    const piece = isTheReaders && mayKeep ? Buffer.from(bytes) : bytes
    passed(piece)
    unwritten++
    // TLS gives one record at a time, and of full ones more are there already: they are written together.
    if (!isLent && !isGathering && piece.length >= fullRecord) {
      isGathering = true
      to.cork()
      setImmediate(gathered)
    }
    to.write(piece, written)
    isWaiting ||= to.writableLength > (isLent ? 0 : mostWaiting)
    return !isWaiting
  })
  const end = () => void to.end()
  from.once('end', end)
  return () => {
    isOver = true
    from.off('end', end)
  }
}
