/** Two judges of one assertion: verifyTap, and @simplewebauthn/server at its most tolerant. */
import { verifyAuthenticationResponse } from '@simplewebauthn/server'
import { expect } from 'vitest'
import type { Intent, Purpose } from '../../../core/intent.ts'
import { type Signatures, webSignatures } from '../../../core/lib/jws.ts'
import type { Holder } from '../../../core/model.ts'
import { Refusal } from '../../../core/refusal.ts'
import { importPublicKey } from '../../../core/tap/public-key.ts'
import { verifyTap } from '../../../core/tap/verify.ts'
import { nodeSignatures } from '../../../worker/node-signatures.ts'
import { hashOf, text64 } from '../signer.ts'

export interface Assertion {
  readonly cose: Uint8Array
  readonly clientData: Uint8Array
  readonly authenticatorData: Uint8Array
  readonly signature: Uint8Array
}

export interface Expected {
  /** As the client data spells it. */
  readonly challenge: string
  readonly origin: string
  readonly rpId: string
  /** `presence`: user verification is not asked for. */
  readonly purpose: Purpose & ('login' | 'presence')
}

/** What both say of an assertion that they accept. */
export interface Verdict {
  readonly counter: number
  readonly backedUp: boolean
}

const iat = 1_767_225_900

/** The intent whose challenge is this one, where the test has challengeOf answer an intent's id. */
export const intentFor = (challenge: string, purpose: Purpose): Intent => ({
  v: 1,
  cluster: 'vectors',
  purpose,
  id: challenge,
  holder: 'holder',
  subject: {},
  iat,
  exp: iat + 60,
})

export const siteOf = (origin: string, rpId: string) => ({ cluster: 'vectors', origin, rpId, rpIdHash: hashOf(rpId) })

export async function ours(assertion: Assertion, expected: Expected): Promise<Verdict | undefined> {
  const verdict = await oursOrWhy(assertion, expected)
  return typeof verdict === 'string' ? undefined : verdict
}

/** By both kinds of signatures that edges check with, which must say the same. */
export async function oursOrWhy(assertion: Assertion, expected: Expected): Promise<Verdict | string> {
  const [native, web] = await Promise.all(
    [nodeSignatures, webSignatures].map((by) => judgedBy(by, assertion, expected)),
  )
  expect(native).toEqual(web)
  return web as Verdict | string
}

/** Anything but a Refusal fails the test: hostile bytes never throw. */
async function judgedBy(by: Signatures, assertion: Assertion, expected: Expected): Promise<Verdict | string> {
  const { challenge, origin, rpId, purpose } = expected
  const key = await importPublicKey(new Uint8Array(assertion.cose), by)
  if (!key) return 'public key'
  const sent = {
    id: 'AAAA',
    response: {
      clientDataJSON: text64(assertion.clientData),
      authenticatorData: text64(assertion.authenticatorData),
      signature: text64(assertion.signature),
    },
  }
  const shown = { holder: 'holder' as Holder, user: undefined, subject: {}, now: iat * 1000 }
  try {
    const tap = { intent: intentFor(challenge, purpose), assertion: sent }
    const { counter, backedUp } = await verifyTap(
      tap,
      { kind: 'passkey', publicKey: key },
      { ...shown, site: siteOf(origin, rpId), purpose },
    )
    return { counter, backedUp }
  } catch (error) {
    if (error instanceof Refusal) return String(error.detail['why'])
    throw error
  }
}

export async function theirs(assertion: Assertion, expected: Expected): Promise<Verdict | undefined> {
  const { challenge, origin, rpId, purpose } = expected
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id: 'AAAA',
        rawId: 'AAAA',
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: text64(assertion.clientData),
          authenticatorData: text64(assertion.authenticatorData),
          signature: text64(assertion.signature),
        },
      },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: purpose === 'login',
      credential: { id: 'AAAA', publicKey: new Uint8Array(assertion.cose), counter: 0 },
    })
    const { newCounter, credentialBackedUp } = authenticationInfo
    return verified ? { counter: newCounter, backedUp: credentialBackedUp } : undefined
  } catch {
    return undefined
  }
}
