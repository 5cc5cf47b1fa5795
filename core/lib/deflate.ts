/** Raw DEFLATE (RFC 1951) by the platform's own streams. */
import { type Bytes, concat } from './bytes.ts'

/** What the platform's types call it differs between programs; each end takes and gives bytes. */
interface Pipe {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Bytes>
}

export const deflate = (bytes: Bytes): Promise<Bytes> =>
  through(new CompressionStream('deflate-raw') as Pipe, bytes, Number.POSITIVE_INFINITY)

/** Of somebody else's making: `longest` bytes at most come out. undefined: more, or no DEFLATE. */
export async function inflate(bytes: Bytes, longest: number): Promise<Bytes | undefined> {
  try {
    return await through(new DecompressionStream('deflate-raw') as Pipe, bytes, longest)
  } catch {
    return undefined
  }
}

async function through({ readable, writable }: Pipe, bytes: Bytes, longest: number): Promise<Bytes> {
  const writer = writable.getWriter()
  // Either end may fail, and then the other does too: the reader tells it.
  writer.write(bytes).catch(() => undefined)
  writer.close().catch(() => undefined)
  const reader = readable.getReader()
  const parts: Uint8Array[] = []
  let length = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length
    if (length > longest) {
      await reader.cancel()
      throw new RangeError('too long')
    }
    parts.push(next.value)
  }
  return concat(...parts)
}
