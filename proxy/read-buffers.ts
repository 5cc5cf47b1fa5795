/** The buffers that passing sockets read into, again and again: to allocate one for each read costs more than to pass on what it holds. */

/** RFC 8446 section 5.1: what a record of TLS holds at most. */
export const fullRecord = 16 * 1024
/** Behind a read of less than this no more is expected. */
export const few = 4 * 1024

/** Of sockets that have no own. What is read into it is copied in the same turn. */
export const common = Buffer.allocUnsafeSlow(64 * 1024)
/** The large ones cost a third less CPU. A reader that stalls keeps one for as long as it does, so there are only so many. */
const [largeLength, smallLength, mostLarge] = [256 * 1024, 64 * 1024, 128]
let largeOnes = 0

/** Whoever takes one gives it back once. Nobody else gets it then, since bytes may still be written from it. */
export function takeBuffer(): Buffer {
  if (largeOnes >= mostLarge) return Buffer.allocUnsafeSlow(smallLength)
  largeOnes++
  return Buffer.allocUnsafeSlow(largeLength)
}

export function giveBack(buffer: Buffer): void {
  if (buffer.length === largeLength) largeOnes--
}
