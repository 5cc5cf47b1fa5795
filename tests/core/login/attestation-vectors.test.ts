/**
 * Every published registration: what its attestation is worth. Whether it is accepted whole, with its origin and its user's
 * verification, is the table of passkey-register.test.ts. The specification accepts each; a line above says why we do not.
 */
import { SettingsService } from '@simplewebauthn/server'
import { expect, test } from 'vitest'
import type { AttestationPolicy } from '../../../core/access/preference.ts'
import { attestationObjectIn } from '../../../core/lib/attestation-object.ts'
import { requireAttestation } from '../../../core/login/attestation.ts'
import { Refusal } from '../../../core/refusal.ts'
import { pemOf } from '../certificates.ts'
import { bytes64, text64 } from '../signer.ts'
import { libraryVectors, w3cVectors } from '../vectors.ts'
import { readOf } from './attested.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const w3cRoot = pemOf(hex(w3cVectors().attestation_ca_cert))

interface Case {
  readonly name: string
  readonly response: { readonly clientDataJSON: string; readonly attestationObject: string }
  readonly time: number
}

const times: Readonly<Record<number, string>> = { 18: '2020-09-13T12:00:00Z' }
const someTime = '2025-06-01T00:00:00Z'

const cases: readonly Case[] = [
  ...w3cVectors().vectors.map(({ id, registration: { clientDataJSON, attestationObject } }) => ({
    name: `W3C ${id}`,
    response: { clientDataJSON: text64(hex(clientDataJSON)), attestationObject: text64(hex(attestationObject)) },
    time: Date.parse(someTime),
  })),
  ...libraryVectors().flatMap(({ clientDataJSON, attestationObject, fakeTime }, i) => {
    if (attestationObject === undefined) return []
    const response = {
      clientDataJSON: text64(bytes64(clientDataJSON)),
      attestationObject: text64(bytes64(attestationObject)),
    }
    return [{ name: `SimpleWebAuthn ${i}`, response, time: Date.parse(fakeTime ?? times[i] ?? someTime) }]
  }),
]

/** The roots that the library brings along. */
const apple = SettingsService.getRootCertificates({ identifier: 'apple' })
const google = SettingsService.getRootCertificates({ identifier: 'android-key' })

/** The last one shown: what an operator would list who trusts exactly this authenticator's maker. */
const lastOf = ({ response }: Case): string[] => {
  const x5c = (attestationObjectIn(response.attestationObject)?.statement.get('x5c') ?? []) as Uint8Array[]
  return x5c.slice(-1).map(pemOf)
}

async function judge(one: Case, lists: Partial<AttestationPolicy>): Promise<string> {
  const read = await readOf({ id: '', ...one })
  if (read.kind === 'invalid') return read.why
  const policy = {
    allowedCas: [],
    deniedCas: [],
    allowedAaguids: [],
    deniedAaguids: [],
    backupEligible: true,
    ...lists,
  }
  try {
    const { format, trust } = await requireAttestation(policy, { ...read, aaguid: '', backupEligible: false }, one.time)
    return `${format}, ${trust}`
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return String(error.detail['why'])
  }
}

/** With no list of CAs: the statement alone. */
const statements: Readonly<Record<string, string>> = {
  'W3C none-es256': 'none, none',
  'W3C packed-self-es256': 'packed, self',
  'W3C none-es256-crossOrigin': 'none, none',
  'W3C none-es256-topOrigin': 'none, none',
  'W3C none-es256-long-credential-id': 'none, none',
  'W3C packed-es256': 'packed, none',
  // Algorithms that the options do not offer.
  'W3C packed-es384': 'no passkey',
  'W3C packed-es512': 'no passkey',
  'W3C packed-rs256': 'packed, none',
  'W3C packed-eddsa': 'packed, none',
  'W3C packed-ed448': 'no passkey',
  // Stricter than section 8.3: its key has no fixedTPM, and every TPM of a real machine below has it.
  'W3C tpm-es256': 'statement: public area: a key that can leave the TPM',
  // Against section 8.4, which wants origin and purpose: its lists are empty (w3c/webauthn has a change pending).
  'W3C android-key-es256': 'statement: leaf: origin',
  'W3C apple-es256': 'apple, none',
  // Stricter than section 8.6: it has an AAGUID, which U2F does not sign, so anybody could write it there.
  'W3C fido-u2f-es256': 'statement: AAGUID',
  'SimpleWebAuthn 7': 'tpm, none',
  // The passkey's own algorithm is RS1.
  'SimpleWebAuthn 8': 'no passkey',
  'SimpleWebAuthn 9': 'tpm, none',
  'SimpleWebAuthn 10': 'tpm, none',
  'SimpleWebAuthn 11': 'tpm, none',
  'SimpleWebAuthn 12': 'tpm, none',
  'SimpleWebAuthn 13': 'android-key, none',
  'SimpleWebAuthn 14': 'android-key, none',
  // SafetyNet is no more, and Level 3 has it no longer.
  'SimpleWebAuthn 15': 'statement: format',
  'SimpleWebAuthn 16': 'statement: format',
  'SimpleWebAuthn 17': 'statement: format',
  'SimpleWebAuthn 18': 'apple, none',
  'SimpleWebAuthn 19': 'packed, none',
  'SimpleWebAuthn 20': 'none, none',
  'SimpleWebAuthn 21': 'tpm, none',
  'SimpleWebAuthn 22': 'no passkey',
  'SimpleWebAuthn 23': 'android-key, none',
  'SimpleWebAuthn 24': 'packed, self',
  'SimpleWebAuthn 25': 'packed, self',
  'SimpleWebAuthn 26': 'none, none',
  'SimpleWebAuthn 27': 'fido-u2f, none',
  // Algorithms that the options do not offer: PS256, PS384.
  'SimpleWebAuthn 28': 'no passkey',
  'SimpleWebAuthn 29': 'no passkey',
  'SimpleWebAuthn 30': 'statement: format',
  'SimpleWebAuthn 31': 'statement: format',
  'SimpleWebAuthn 32': 'fido-u2f, none',
  'SimpleWebAuthn 33': 'packed, self',
  'SimpleWebAuthn 34': 'packed, none',
  'SimpleWebAuthn 35': 'none, none',
}

test('the table has all 15 registrations of the W3C and 29 of SimpleWebAuthn', () => {
  expect(cases.map(({ name }) => name)).toEqual(Object.keys(statements))
  expect(cases).toHaveLength(44)
})

const named = cases.map((one) => [one.name, one] as const)

test.each(named)('%s: the statement', async (name, one) => {
  expect(await judge(one, {})).toBe(statements[name])
})

test.each(named)('%s: as the CA of its maker is listed', async (name, one) => {
  const [format, trust] = (statements[name] as string).split(', ')
  const own = name.startsWith('W3C') ? [w3cRoot] : lastOf(one)
  const another = name.startsWith('W3C') ? google : [w3cRoot]
  const outcomes = [
    await judge(one, { allowedCas: own.length > 0 ? own : another }),
    await judge(one, { deniedCas: another }),
    await judge(one, { allowedCas: another }),
    await judge(one, { allowedCas: own, deniedCas: own.length > 0 ? own : another }),
  ]
  const taken = `${format}, chain`
  if (trust === undefined) expect(new Set(outcomes)).toEqual(new Set([statements[name]]))
  else if (trust === 'self') expect(new Set(outcomes)).toEqual(new Set(['self attestation']))
  else if (format === 'none') expect(new Set(outcomes)).toEqual(new Set(['no attestation']))
  else expect(outcomes).toEqual([taken, taken, 'no allowed CA', 'a denied CA'])
})

test('the makers’ own roots, which are not shown, are found above what is', async () => {
  const find = (wanted: string) => cases.find(({ name }) => name === wanted) as Case
  const [iphone, pixel] = [find('SimpleWebAuthn 18'), find('SimpleWebAuthn 14')]
  expect(await judge(iphone, { allowedCas: [...google, ...apple] })).toBe('apple, chain')
  expect(await judge(iphone, { allowedCas: google })).toBe('no allowed CA')
  expect(await judge(iphone, { deniedCas: apple })).toBe('a denied CA')
  expect(await judge(pixel, { allowedCas: [...apple, ...google] })).toBe('android-key, chain')
  expect(await judge(pixel, { deniedCas: google })).toBe('a denied CA')
  expect(await judge({ ...iphone, time: Date.parse(someTime) }, { allowedCas: apple })).toBe('certificate 0: expired')
})
