import type { Bytes } from '../core/lib/bytes.ts'

type Draw = (length: number) => Bytes

const drawnAtOnce = 4096
/** What is longer is drawn by itself. */
const longest = 64

/**
 * Random bytes out of a draw of many: a draw costs a system call, which is more than all that is made of the bytes. What is handed
 * out is wiped here, so no later look into memory finds it in this place.
 */
export function pooled(draw: Draw): Draw {
  let pool: Bytes = new Uint8Array(0)
  let at = 0
  return (length) => {
    if (length > longest) return draw(length)
    if (at + length > pool.length) {
      pool = draw(drawnAtOnce)
      at = 0
    }
    const bytes = pool.slice(at, at + length)
    pool.fill(0, at, at + length)
    at += length
    return bytes
  }
}
