import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { base64url } from '../../../core/lib/bytes.ts'
import { hmacKey } from '../../../core/lib/hash.ts'
import type { ClientSessionId } from '../../../core/model.ts'
import { parseRefreshToken, refreshTokenOf } from '../../../core/oauth/refresh-token.ts'

const key = hmacKey(new Uint8Array(32).fill(1))
const id = base64url(new Uint8Array(16).fill(2)) as ClientSessionId
const token = refreshTokenOf(key, id, 7)
const [, , seal = ''] = token.split('.')

describe('refreshTokenOf', () => {
  test('is SESSION.GENERATION.SEAL, the same each time: whoever lost the answer gets the very same one', () => {
    expect(token).toMatch(new RegExp(`^${id}\\.7\\.[A-Za-z0-9_-]{43}$`))
    expect(refreshTokenOf(key, id, 7)).toBe(token)
  })

  test('of the next generation has another seal', () => {
    expect(refreshTokenOf(key, id, 8).split('.')[2]).not.toBe(seal)
  })
})

describe('parseRefreshToken', () => {
  test('reads what refreshTokenOf wrote, for every session and generation', () => {
    const ids = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => base64url(bytes) as ClientSessionId)
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 999_999_999 }), (session, generation) => {
        expect(parseRefreshToken(key, refreshTokenOf(key, session, generation))).toEqual({ id: session, generation })
      }),
    )
  })

  test('answers undefined for a token of another cluster’s key', () => {
    expect(parseRefreshToken(hmacKey(new Uint8Array(32).fill(9)), token)).toBeUndefined()
  })

  test('answers undefined with any character altered', () => {
    for (let at = 0; at < token.length; at++) {
      const altered = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
      expect(parseRefreshToken(key, altered), `at ${at}`).toBeUndefined()
    }
  })

  test.each([
    ['nothing', ''],
    ['two dots', '..'],
    ['no seal', `${id}.7`],
    ['an empty seal', `${id}.7.`],
    ['a fourth part', `${token}.`],
    ['another generation under the same seal', `${id}.8.${seal}`],
    ['a generation with a zero in front', `${id}.07.${seal}`],
    ['generation 0', refreshTokenOf(key, id, 0)],
    ['a negative generation', refreshTokenOf(key, id, -1)],
    ['a generation of ten digits', refreshTokenOf(key, id, 1_000_000_000)],
    ['a fraction', refreshTokenOf(key, id, 1.5)],
    ['a generation in another notation', `${id}.7e0.${seal}`],
    ['a shorter session', refreshTokenOf(key, id.slice(1) as ClientSessionId, 7)],
    ['a longer session', refreshTokenOf(key, `${id}A` as ClientSessionId, 7)],
    ['white space', ` ${token}`],
    ['a line behind it', `${token}\n`],
    ['padding', `${token}=`],
  ])('answers undefined for %s', (_what, text) => {
    expect(parseRefreshToken(key, text)).toBeUndefined()
  })

  test('never throws, and takes no text that it did not write', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(fc.string(), fc.nat(), fc.string()).map((parts) => parts.join('.')),
    )
    fc.assert(
      fc.property(text, (given) => {
        expect(parseRefreshToken(key, given)).toBeUndefined()
      }),
    )
  })
})
