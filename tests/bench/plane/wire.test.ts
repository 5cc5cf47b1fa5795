import { describe, expect, test } from 'vitest'
import { parseHello } from '../../../core/route/hello.ts'
import {
  hello,
  lastPiece,
  lastType,
  message,
  piece,
  pieceLength,
  readOpening,
  readReceipt,
  receipt,
  startup,
} from './wire.ts'

describe('readOpening', () => {
  test('the hello is whole, and names the server of the routes', () => {
    expect(parseHello(hello)).toMatchObject({ kind: 'value', value: { sni: 'foobar.com', alpn: ['h2', 'http/1.1'] } })
    expect(readOpening(Buffer.concat([hello, startup('echo')]))).toEqual({ kind: 'hello', used: hello.length })
  })

  test.for(['echo', 'sink', 'source'] as const)('a startup message for the %s, and not what follows it', (part) => {
    const bytes = startup(part)
    expect(readOpening(Buffer.concat([bytes, piece]))).toEqual({ kind: 'part', part, used: bytes.length })
  })

  test('asks for more until it is whole', () => {
    for (const bytes of [hello, startup('sink')]) {
      for (let length = 0; length < bytes.length; length++) {
        expect(readOpening(bytes.subarray(0, length))).toEqual({ kind: 'more' })
      }
    }
  })

  test('a request for TLS is told apart', () => {
    expect(readOpening(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))).toEqual({ kind: 'ssl', used: 8 })
  })

  test('what is none is an error', () => {
    expect(() => readOpening(Buffer.from([0, 0, 0, 8, 0, 3, 0, 0]))).toThrow('no opening')
  })
})

test('pieces are messages of one length, told apart by their type', () => {
  expect([piece.length, lastPiece.length]).toEqual([pieceLength, pieceLength])
  expect([piece.readUInt32BE(1), lastPiece.readUInt32BE(1)]).toEqual([pieceLength - 1, pieceLength - 1])
  expect([piece[0] === lastType, lastPiece[0] === lastType]).toEqual([false, true])
})

test('a receipt of more than four gigabytes is read as it was written, once it is whole', () => {
  const bytes = receipt(5_000_000_000)
  expect(bytes).toEqual(message('D', bytes.subarray(5)))
  expect(readReceipt(bytes)).toBe(5_000_000_000)
  expect(readReceipt(bytes.subarray(0, 12))).toBeUndefined()
})
