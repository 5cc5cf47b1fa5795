/** CRC-32C (RFC 3720 appendix B.4), which tells damage and nothing else. */

/** Castagnoli's polynomial, its bits in reverse. */
const polynomial = 0x82f63b78
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1
  return rest >>> 0
})

export function crc32c(bytes: Uint8Array): number {
  let rest = 0xffffffff
  for (const byte of bytes) rest = (rest >>> 8) ^ (table[(rest ^ byte) & 0xff] as number)
  return (rest ^ 0xffffffff) >>> 0
}
