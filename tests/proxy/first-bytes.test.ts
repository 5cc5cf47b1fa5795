/** However a first flight is cut into pieces, it is read the same, and every byte of it is there to be put back. */
import { describe, expect, test } from 'vitest'
import { type Hello, parseHello } from '../../core/route/hello.ts'
import type { Connection } from '../../proxy/connection.ts'
import { FirstBytes, HelloStage, refusedWires, Sniffing } from '../../proxy/first-bytes.ts'
import { alpn, bytesOf, bytesOfHex, join, message, pieces, records, sni } from '../core/hello-writer.ts'

const hello = records(message(sni('a.test'), alpn('h2')), 40)

function read(parts: readonly Uint8Array[]) {
  const hellos: Hello[] = []
  const tls = () => new HelloStage((_, read) => void hellos.push(read))
  const first = new FirstBytes(new Sniffing({ ...refusedWires, tls }))
  for (const [at, part] of parts.entries()) {
    const read = first.push(part)
    // Whose it is is not looked at.
    if (read.kind === 'take') read.take(undefined as unknown as Connection)
    if (read.kind !== 'more') return { read, hellos, bytes: first.bytes, taken: at + 1 }
  }
  return { read: { kind: 'more' }, hellos, bytes: first.bytes, taken: parts.length }
}

describe('FirstBytes', () => {
  const wire = join(hello, bytesOf('and more'))

  test.each(Array.from({ length: wire.length }, (_, at) => at + 1))('in pieces of %i', (size) => {
    const parts = pieces(wire, size)
    const { hellos, bytes, taken } = read(parts)
    expect(hellos).toEqual([(parseHello(hello) as { value?: Hello }).value])
    expect(new Uint8Array(bytes)).toEqual(join(...parts.slice(0, taken)))
  })

  test.each([
    ['GET / ', 'plain_http', 4],
    ['CONNECT a', 'plain_connect', 8],
    ['SSH-2', 'plain_ssh', 4],
    ['PROXY T', 'proxy_header', 6],
    ['\x16\x02', 'record_version', 2],
    ['x', 'not_tls', 1],
  ])('%j is known at its first telling byte', (text, why, at) => {
    expect(read(pieces(bytesOf(text), 1))).toMatchObject({ read: { kind: 'refuse', why }, taken: at })
  })

  test('SSLv2 is told by its fourth byte', () => {
    expect(read(pieces(bytesOfHex('802e01000200'), 1))).toMatchObject({ read: { why: 'sslv2' }, taken: 4 })
    expect(read(pieces(bytesOfHex('802e02000200'), 1))).toMatchObject({ read: { why: 'not_tls' }, taken: 3 })
  })
})
