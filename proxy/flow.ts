/** One direction of a connection: bytes, and the end behind the last of them. Whoever reads slowly is waited for. */
import type { Duplex } from 'node:stream'
import { takeFrom } from './reading.ts'

/** `passed`: each piece, before it is passed on. The function stops it, and what comes then is nobody's. */
export function flow(from: Duplex, to: Duplex, passed: (piece: Uint8Array) => void): () => void {
  let isWaiting = false
  let unwritten = 0
  const written = () => {
    unwritten--
    if (unwritten > 0 || !isWaiting) return
    isWaiting = false
    from.resume()
  }
  const stop = takeFrom(from, (piece) => {
    passed(piece)
    unwritten++
    to.write(piece, written)
    isWaiting = to.writableLength > 0
    return !isWaiting
  })
  const end = () => void to.end()
  from.once('end', end)
  return () => {
    isWaiting = false
    from.off('end', end)
    stop()
  }
}
