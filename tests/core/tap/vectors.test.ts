/** Every published authentication through verifyTap: what becomes of it for a purpose that wants presence, and for a login. */
import { expect, test, vi } from 'vitest'
import { fromBase64url } from '../../../core/lib/bytes.ts'
import { libraryVectors, w3cVectors } from '../vectors.ts'
import { oursOrWhy } from './judges.ts'
import { publishedCases } from './published.ts'

/** Vectors have challenges of their own, which are the hash of no intent: in this file an intent's id is its challenge. */
vi.mock('../../../core/intent.ts', async (original) => ({
  ...(await original<object>()),
  challengeOf: ({ id }: { id: string }) => fromBase64url(id),
}))

const accepted = ['accepted', 'accepted'] as const
const unverified = ['accepted', 'user not verified'] as const
const refused = (why: string) => [why, why] as const

/** The specification accepts each; where we do not, the reason stands above it, and in differences.ts. */
const outcomes: Readonly<Record<string, readonly [presence: string, login: string]>> = {
  'W3C none-es256': unverified,
  'W3C packed-self-es256': unverified,
  // A relying party chooses whether it wants to be in frames of others: no.
  'W3C none-es256-crossOrigin': refused('client data: crossOrigin'),
  'W3C none-es256-topOrigin': refused('client data: crossOrigin'),
  'W3C none-es256-long-credential-id': accepted,
  'W3C packed-es256': accepted,
  // Algorithms that the options do not offer.
  'W3C packed-es384': refused('public key'),
  'W3C packed-es512': refused('public key'),
  'W3C packed-rs256': unverified,
  'W3C packed-eddsa': unverified,
  'W3C packed-ed448': refused('public key'),
  'W3C tpm-es256': accepted,
  'W3C android-key-es256': unverified,
  'W3C apple-es256': unverified,
  'W3C fido-u2f-es256': unverified,
  'SimpleWebAuthn 1': accepted,
  'SimpleWebAuthn 2': accepted,
  // The public key there is of another credential.
  'SimpleWebAuthn 3': refused('signature'),
  'SimpleWebAuthn 4': unverified,
  'SimpleWebAuthn 5': unverified,
  'SimpleWebAuthn 6': unverified,
}

const cases = publishedCases()

test('the table has every published authentication, but one whose public key was not published', () => {
  expect(cases.map(({ name }) => name)).toEqual(Object.keys(outcomes))
  const assertions = libraryVectors().filter(({ signature }) => signature !== undefined)
  expect(assertions.filter(({ publicKey }) => publicKey === undefined)).toHaveLength(1)
  expect(w3cVectors().vectors.length + assertions.length - 1).toBe(cases.length)
})

test.each(cases.map((one) => [one.name, one] as const))('%s', async (name, one) => {
  const outcome = async (purpose: 'presence' | 'login') => {
    const verdict = await oursOrWhy(one, { ...one.expected, purpose })
    return typeof verdict === 'string' ? verdict : 'accepted'
  }
  expect([await outcome('presence'), await outcome('login')]).toEqual(outcomes[name])
})
