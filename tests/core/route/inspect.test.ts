import { describe, expect, test } from 'vitest'
import { captured, inspect, inspectExits, inspectLine } from '../../../core/route/inspect.ts'
import { alpn, bytesOf, ech, keyShares, message, records, sni, versions } from '../hello-writer.ts'

const wire = records(
  message(sni('A.Test.'), alpn('h2', '\x0a\x0a'), versions(0x0a0a, 0x0304), keyShares([0x11ec, 1216], [29, 32]), ech()),
  1_000,
)

describe('inspect', () => {
  test('answers its members in the order of the interface', () => {
    expect(JSON.stringify(inspect(wire))).toBe(
      '{"kind":"value","sni":"a.test","alpn":["h2","0a0a"],"versions":["0a0a","0304"],' +
        '"keyShares":[["11ec",1216],["001d",32]],"ech":true,"records":2,"bytes":1546}',
    )
  })

  test('says null for no name', () => {
    expect(inspect(records(message()))).toMatchObject({ sni: null, alpn: [], versions: [], keyShares: [] })
  })

  test('says why', () => {
    expect(inspect(wire.subarray(0, 1_004))).toEqual({
      kind: 'more',
      why: 'ends after 1004 bytes, and has 1005 at least',
    })
    expect(inspect(bytesOf('GET /'))).toEqual({ kind: 'invalid', why: 'not_tls' })
  })

  test('ends as its answer says', () => {
    expect(inspectExits).toEqual({ value: 0, more: 3, invalid: 4 })
  })
})

describe('captured', () => {
  test.each(['160301', '16 03 01\n', '1603\r\n01'])('reads %j as hex', (text) => {
    expect(captured(bytesOf(text))).toEqual(Uint8Array.of(0x16, 3, 1))
  })

  test.each(['\x16\x03\x01', '1603f', 'xyz', ''])('takes %j as it is', (text) => {
    expect(captured(bytesOf(text))).toEqual(bytesOf(text))
  })
})

describe('inspectLine', () => {
  const line = (text: string) => inspectLine(bytesOf(text))
  const hex = Buffer.from(wire).toString('hex')

  test('answers as inspect does, in either case, spaced or not, whatever else stands there', () => {
    for (const text of [hex, hex.toUpperCase(), hex.replaceAll(/(..)/g, '$1 ')])
      expect(line(`{"id": 7, "hex": "${text}"}\r`)).toEqual(inspect(wire))
    expect(line('{"hex":""}')).toEqual(inspect(new Uint8Array()))
    expect(line('{"hex":"474554202f"}')).toEqual({ kind: 'invalid', why: 'not_tls' })
  })

  test.each(['', '{', 'null', '7', '"16"', '[]', '{}', '{"hex":7}', '{"hex":"1"}', '{"hex":"1g"}', '{"hex":"\xff"}'])(
    '%j is no such line',
    (text) => {
      expect(line(text)).toEqual({ kind: 'invalid', why: 'line_malformed' })
    },
  )
})
