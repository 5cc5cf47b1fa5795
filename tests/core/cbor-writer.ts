/** Writes CBOR for tests: the shortest form, maps in their own order. Apart from core/lib/cbor.ts, which only reads. */
import fc from 'fast-check'
import type { Cbor } from '../../core/lib/cbor.ts'

type Bytes = Uint8Array<ArrayBuffer>

const join = (...parts: readonly Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(parts))

/** The head of an item: major type and argument. `size`: bytes of the argument, the fewest where none is given. */
export function cborHead(major: number, argument: number, size?: 0 | 1 | 2 | 4 | 8): Bytes {
  const shortest = argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x10000 ? 2 : 4
  const chosen = size ?? shortest
  if (chosen === 0) return new Uint8Array([(major << 5) | argument])
  const head = Buffer.alloc(1 + chosen)
  head[0] = (major << 5) | (24 + Math.log2(chosen))
  head.writeUIntBE(argument, 1 + Math.max(chosen - 6, 0), Math.min(chosen, 6))
  return new Uint8Array(head)
}

export function encodeCbor(item: Cbor): Bytes {
  if (item === null) return new Uint8Array([0xf6])
  if (typeof item === 'boolean') return new Uint8Array([item ? 0xf5 : 0xf4])
  if (typeof item === 'number') return item >= 0 ? cborHead(0, item) : cborHead(1, -1 - item)
  if (typeof item === 'string') return join(cborHead(3, Buffer.byteLength(item)), Buffer.from(item))
  if (item instanceof Uint8Array) return join(cborHead(2, item.length), item)
  if (item instanceof Map) return cborMap([...(item as ReadonlyMap<number | string, Cbor>)])
  const items = item as readonly Cbor[]
  return join(cborHead(4, items.length), ...items.map(encodeCbor))
}

/** A map out of its entries, so that a key may come twice. */
export const cborMap = (entries: readonly (readonly [number | string, Cbor])[]): Bytes =>
  join(cborHead(5, entries.length), ...entries.flatMap(([key, value]) => [encodeCbor(key), encodeCbor(value)]))

/** Bytes that look like CBOR more often than chance has it: heads of all kinds among arbitrary bytes. */
export const rawCbor: fc.Arbitrary<Bytes> = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc
        .constantFrom(0x40, 0x41, 0x61, 0x81, 0x82, 0xa1, 0xa2, 0xf4, 0xf5, 0xf6, 0x18, 0x58, 0x9a)
        .map((byte) => [byte]),
    ),
    { maxLength: 12 },
  )
  .map((parts) => new Uint8Array(parts.flatMap((part) => [...part])))
