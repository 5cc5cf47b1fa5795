/** However a first flight is cut into pieces, it is read the same, and every byte of it is there to be put back. */
import { describe, expect, test } from 'vitest'
import { parseHello } from '../../core/route/hello.ts'
import { FirstBytes } from '../../proxy/peek.ts'
import { alpn, bytesOf, bytesOfHex, join, message, pieces, records, sni } from '../core/hello-writer.ts'

const hello = records(message(sni('a.test'), alpn('h2')), 40)

function read(parts: readonly Uint8Array[]) {
  const first = new FirstBytes()
  for (const [at, part] of parts.entries()) {
    const read = first.push(part)
    if (read.kind !== 'more') return { read, bytes: first.bytes, taken: at + 1 }
  }
  return { read: { kind: 'more' }, bytes: first.bytes, taken: parts.length }
}

describe('FirstBytes', () => {
  const wire = join(hello, bytesOf('and more'))

  test.each(Array.from({ length: wire.length }, (_, at) => at + 1))('in pieces of %i', (size) => {
    const parts = pieces(wire, size)
    const { read: answer, bytes, taken } = read(parts)
    expect(answer).toEqual(parseHello(hello))
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
    expect(read(pieces(bytesOf(text), 1))).toMatchObject({ read: { kind: 'invalid', why }, taken: at })
  })

  test('SSLv2 is told by its fourth byte', () => {
    expect(read(pieces(bytesOfHex('802e01000200'), 1))).toMatchObject({ read: { why: 'sslv2' }, taken: 4 })
    expect(read(pieces(bytesOfHex('802e02000200'), 1))).toMatchObject({ read: { why: 'not_tls' }, taken: 3 })
  })
})
