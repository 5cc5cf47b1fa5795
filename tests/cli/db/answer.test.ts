/** How the proxy's answers are read, byte by byte. */
import { expect, test } from 'vitest'
import { parseAnswer } from '../../../cli/response.ts'
import { concat, utf8 } from '../../../core/lib/bytes.ts'

const head = (...lines: string[]) => utf8([...lines, '', ''].join('\r\n'))
const ok = 'HTTP/1.1 200 OK'

test('an answer with its length; every shorter beginning of it wants more', () => {
  const bytes = concat(head(ok, 'content-LENGTH: 4 ', 'X-Other:'), utf8('body'))
  for (let end = 0; end < bytes.length; end++)
    expect(parseAnswer(bytes.subarray(0, end), false)).toEqual({ kind: 'more' })
  const value = { status: 200, body: 'body' }
  expect(parseAnswer(bytes, false)).toEqual({ kind: 'value', value, used: bytes.length })
  expect(parseAnswer(concat(bytes, utf8('next')), false)).toEqual({ kind: 'value', value, used: bytes.length })
})

test('a tunnel begins behind the head of a yes to CONNECT, whatever length that claims; a no has a body', () => {
  const yes = head(ok, 'Content-Length: 4', 'Transfer-Encoding: chunked')
  expect(parseAnswer(concat(yes, utf8('E...')), true)).toEqual({
    kind: 'value',
    value: { status: 200, body: '' },
    used: yes.length,
  })
  const no = concat(head('HTTP/1.1 403 Forbidden', 'Content-Length: 2'), utf8('{}'))
  expect(parseAnswer(no, true)).toMatchObject({ kind: 'value', value: { status: 403, body: '{}' } })
})

const invalid: [what: string, bytes: Uint8Array, why: string][] = [
  ['another version', head('HTTP/1.0 200 OK', 'Content-Length: 0'), 'it is no answer of HTTP/1.1'],
  ['an informational status', head('HTTP/1.1 100 Continue', 'Content-Length: 0'), 'it is no answer of HTTP/1.1'],
  ['a status of four digits', head('HTTP/1.1 2000 OK', 'Content-Length: 0'), 'it is no answer of HTTP/1.1'],
  ['a server of another protocol', utf8('SSH-2.0-OpenSSH\r\n\r\n'), 'it is no answer of HTTP/1.1'],
  ['a folded field', head(ok, 'Content-Length: 0', ' folded'), 'its head is malformed'],
  ['a space before the colon', head(ok, 'Content-Length : 0'), 'its head is malformed'],
  ['a bare line feed', head(ok, 'A: b\nContent-Length: 0'), 'its head is malformed'],
  ['a NUL', head(ok, 'A: \0', 'Content-Length: 0'), 'its head is malformed'],
  ['no length', head(ok), 'its length is not clear'],
  ['two lengths', head(ok, 'Content-Length: 1', 'Content-Length: 1'), 'its length is not clear'],
  ['a coding', head(ok, 'Content-Length: 1', 'Transfer-Encoding: chunked'), 'its length is not clear'],
  ['a negative length', head(ok, 'Content-Length: -1'), 'it is too long'],
  ['a length in a list', head(ok, 'Content-Length: 1, 1'), 'it is too long'],
  ['more than 64 KiB', head(ok, 'Content-Length: 65537'), 'it is too long'],
  ['a head that does not end', utf8(`${ok}\r\n${'A: b\r\n'.repeat(3000)}`), 'its head is too long'],
  ['a head of more than 16 KiB', head(ok, 'Content-Length: 0', `A: ${'b'.repeat(16_384)}`), 'its head is too long'],
  ['a body that is not UTF-8', concat(head(ok, 'Content-Length: 1'), new Uint8Array([255])), 'it is not UTF-8'],
]

test.each(invalid)('%s is no answer', (_, bytes, why) => {
  expect(parseAnswer(bytes, false)).toEqual({ kind: 'invalid', why })
})
