/**
 * verifyRegistration: every check of its own, and the published registrations against @simplewebauthn/server with all the
 * algorithms that it knows. What we accept it accepts and reads alike, and where only it accepts a table says why.
 */
import { SettingsService, verifyRegistrationResponse } from '@simplewebauthn/server'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { AttestationPolicy } from '../../../core/access/preference.ts'
import { fromBase64url } from '../../../core/lib/bytes.ts'
import { type RegistrationJson, verifyRegistration } from '../../../core/login/passkey-register.ts'
import type { CredentialKind } from '../../../core/model.ts'
import { Refusal } from '../../../core/refusal.ts'
import { type CreateOverrides, flag, newAuthenticator } from '../../authenticator.ts'
import { cborMap } from '../cbor-writer.ts'
import { bytes64, hashOf, join, text64 } from '../signer.ts'
import { intentFor, siteOf } from '../tap/judges.ts'
import { libraryVectors, w3cVectors } from '../vectors.ts'

/** Vectors have challenges of their own, which are the hash of no intent: in this file an intent's id is its challenge. */
vi.mock('../../../core/intent.ts', async (original) => ({
  ...(await original<object>()),
  challengeOf: ({ id }: { id: string }) => fromBase64url(id) ?? new Uint8Array(0),
}))

const hex = (text: string) => Buffer.from(text, 'hex')

interface Case extends RegistrationJson {
  readonly name: string
  readonly challenge: string
  readonly origin: string
  readonly rpId: string
  /** When its certificates were good. */
  readonly time: string
}
const someTime = '2025-06-01T00:00:00Z'
/** Apple's certificates live for a day, and the library's test of this one sets no time. */
const times: Readonly<Record<number, string>> = { 18: '2020-09-13T12:00:00Z' }

const w3cCases = (): Case[] =>
  w3cVectors().vectors.map(({ id, registration }) => ({
    name: `W3C ${id}`,
    id: text64(hex(registration.credential_id)),
    response: {
      clientDataJSON: text64(hex(registration.clientDataJSON)),
      attestationObject: text64(hex(registration.attestationObject)),
    },
    challenge: text64(hex(registration.challenge)),
    origin: w3cVectors().origin,
    rpId: w3cVectors().rpId,
    time: someTime,
  }))

/** What the library's own tests call `id` is not always the credential's: that one stands in the attestation object. */
const libraryCases = (): Case[] =>
  libraryVectors().flatMap(({ id, clientDataJSON, attestationObject, expectedRPID, fakeTime }, i) => {
    if (attestationObject === undefined) return []
    const response = { clientDataJSON: text64(bytes64(clientDataJSON)), attestationObject }
    const { challenge, origin } = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as Record<
      string,
      string
    >
    const rpId = expectedRPID ?? new URL(origin!).hostname
    const plain = { ...response, attestationObject: text64(bytes64(attestationObject)) }
    return [
      {
        name: `SimpleWebAuthn ${i}`,
        id,
        response: plain,
        challenge: challenge!,
        origin: origin!,
        rpId,
        time: fakeTime ?? times[i] ?? someTime,
      },
    ]
  })

interface Verdict {
  readonly publicKey: string
  readonly aaguid: string
  readonly counter: number
  readonly backupEligible: boolean
  readonly backedUp: boolean
}

async function ours(one: Case, policy?: AttestationPolicy): Promise<Verdict | string> {
  try {
    const found = await verifyRegistration(
      siteOf(one.origin, one.rpId),
      intentFor(one.challenge, 'register'),
      one,
      Date.now(),
      { kind: 'passkey', attestation: policy },
    )
    const { aaguid, counter, backupEligible, backedUp } = found
    expect(found.id).toBe(one.id)
    expect(found.fingerprint).toBe(text64(hashOf(found.publicKey)))
    return { publicKey: text64(found.publicKey), aaguid, counter, backupEligible, backedUp }
  } catch (error) {
    if (error instanceof Refusal) return String(error.detail['why'])
    throw error
  }
}

async function theirs({ id, response, ...one }: Case): Promise<Verdict | undefined> {
  try {
    const { verified, registrationInfo: info } = await verifyRegistrationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: { ...response, transports: [] },
      },
      expectedChallenge: one.challenge,
      expectedOrigin: one.origin,
      expectedRPID: one.rpId,
      requireUserVerification: false,
    })
    if (!verified) return undefined
    const { publicKey, counter } = info.credential
    const backup = { backupEligible: info.credentialDeviceType === 'multiDevice', backedUp: info.credentialBackedUp }
    return { publicKey: text64(publicKey), aaguid: info.aaguid, counter, ...backup }
  } catch {
    return undefined
  }
}

/** What only the library accepts, with the reason that we give. All the rest of the published ones are judged alike. */
const stricter: Readonly<Record<string, string>> = {
  'W3C none-es256': 'user not verified',
  'W3C none-es256-crossOrigin': 'client data: crossOrigin',
  'W3C none-es256-topOrigin': 'client data: crossOrigin',
  'W3C none-es256-long-credential-id': 'user not verified',
  'W3C packed-eddsa': 'user not verified',
  'W3C apple-es256': 'user not verified',
  'SimpleWebAuthn 7': 'user not verified',
  'SimpleWebAuthn 9': 'user not verified',
  'SimpleWebAuthn 21': 'user not verified',
  'SimpleWebAuthn 27': 'user not verified',
  'SimpleWebAuthn 32': 'user not verified',
  // Its id is not the one in the attestation object.
  'SimpleWebAuthn 33': 'credential id',
  'SimpleWebAuthn 34': 'user not verified',
}

describe('on the published registrations', () => {
  // The library reads the clock for certificates; it takes no other.
  beforeAll(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const pem = `-----BEGIN CERTIFICATE-----\n${hex(w3cVectors().attestation_ca_cert).toString('base64')}\n-----END CERTIFICATE-----`
    for (const identifier of ['apple', 'android-key'] as const) {
      const certificates = [...SettingsService.getRootCertificates({ identifier }), pem]
      SettingsService.setRootCertificates({ identifier, certificates })
    }
  })
  afterAll(() => {
    vi.useRealTimers()
  })

  const cases = [...w3cCases(), ...libraryCases()]

  test('there are 15 of the W3C and 29 of SimpleWebAuthn, and both judges accept some', async () => {
    expect(cases).toHaveLength(44)
  })

  test.each(cases.map((one) => [one.name, one] as const))(
    '%s is judged alike, or stands in the table',
    async (name, one) => {
      vi.setSystemTime(one.time)
      const [our, their] = [await ours(one), await theirs(one)]
      if (stricter[name] !== undefined) {
        expect(our).toBe(stricter[name])
        expect(their).toBeDefined()
      } else if (typeof our === 'string') expect(their).toBeUndefined()
      else expect(our).toEqual(their)
    },
  )
})

/** For the others the library sends requests to where the certificates say. */
const asksNobody = ({ response }: Case) =>
  !/android-?key|android-safetynet|apple/.test(Buffer.from(response.attestationObject, 'base64url').toString('latin1'))

/** Denies nobody here, and so asks of every chain that it holds: of one that nobody asks about we read no dates and no makers. */
const chainsHold: AttestationPolicy = {
  allowedCas: [],
  deniedCas: SettingsService.getRootCertificates({ identifier: 'apple' }).slice(0, 1),
  allowedAaguids: [],
  deniedAaguids: [],
  backupEligible: true,
}

test('what we accept of altered registrations, the library accepts too', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  let accepted = 0
  for (const one of [...w3cCases(), ...libraryCases()].filter(asksNobody)) {
    vi.setSystemTime(one.time)
    const bytes = Buffer.from(one.response.attestationObject, 'base64url')
    const policy = bytes.includes('x5c') ? chainsHold : undefined
    for (let at = 0; at < bytes.length; at += 7) {
      const altered = Buffer.from(bytes)
      altered[at] = (altered[at] as number) ^ (1 << (at % 8))
      const changed = { ...one, response: { ...one.response, attestationObject: text64(altered) } }
      const our = await ours(changed, policy)
      if (typeof our === 'string') continue
      accepted += 1
      expect(await theirs(changed), `${one.name}, byte ${at}`).toEqual(our)
    }
  }
  vi.useRealTimers()
  expect(accepted).toBeGreaterThan(20)
})

const origin = 'https://access.example.com'
const rpId = 'example.com'
const challenge = text64(hashOf('a challenge'))
const aaguid = '2fc0579f-8113-47ea-b116-bb5a8db9202a'
const options = { challenge, rp: { id: rpId }, user: { id: 'AAAA' } }
const { UP, UV, BE, BS, AT, ED } = flag

async function made(overrides?: CreateOverrides, alg: -7 | -8 | -257 = -7) {
  const authenticator = await newAuthenticator({ origin, rpId, alg, aaguid })
  return { authenticator, registration: await authenticator.create(options, overrides) }
}

const verified = (registration: RegistrationJson, kind: CredentialKind = 'passkey') =>
  verifyRegistration(siteOf(origin, rpId), intentFor(challenge, 'register'), registration, Date.now(), {
    kind,
    attestation: undefined,
  })

describe('verifyRegistration accepts', () => {
  test.each([-7, -8, -257] as const)('a passkey with %s, with and without self attestation', async (alg) => {
    for (const attestation of ['none', 'packed'] as const) {
      const { authenticator, registration } = await made({ attestation, counter: 3 }, alg)
      const { key, ...found } = await verified(registration)
      expect(found).toEqual({
        id: authenticator.credentialId,
        kind: 'passkey',
        publicKey: authenticator.cosePublicKey,
        fingerprint: text64(hashOf(authenticator.cosePublicKey)),
        transports: ['internal'],
        aaguid,
        backupEligible: false,
        backedUp: false,
        counter: 3,
        attestation: { format: attestation, trust: attestation === 'none' ? 'none' : 'self', ca: undefined },
      })
      expect(key.algorithm).toBe(alg)
    }
  })

  test('the flags of a synced passkey', async () => {
    const flags = UP | UV | AT | BE
    expect(await verified((await made({ flags })).registration)).toMatchObject({
      backupEligible: true,
      backedUp: false,
    })
    const synced = await made({ flags: flags | BS | ED })
    expect(await verified(synced.registration)).toMatchObject({ backupEligible: true, backedUp: true })
  })

  test('the transports that the specification names, each once', async () => {
    const { registration } = await made()
    const transports = ['hybrid', 'usb', 'usb', '<script>', '', 'cable', 'smart-card']
    const sent = { ...registration, response: { ...registration.response, transports } }
    expect((await verified(sent)).transports).toEqual(['usb', 'smart-card', 'hybrid'])
    const { transports: _, ...without } = registration.response
    expect((await verified({ ...registration, response: without })).transports).toEqual([])
  })
})

const whyNot = async (registration: RegistrationJson): Promise<unknown> => {
  const outcome = await verified(registration).then(
    () => 'accepted',
    (error: unknown) => error,
  )
  if (!(outcome instanceof Refusal)) throw new Error(`not refused: ${outcome}`, { cause: outcome })
  expect(outcome.word).toBe('refused')
  return outcome.detail['why']
}

const edited = (
  registration: RegistrationJson,
  response: Partial<RegistrationJson['response']>,
  id = registration.id,
): RegistrationJson => ({ id, response: { ...registration.response, ...response } })

/** A registration without attestation whose every byte the test makes up. */
async function forged(cose: Uint8Array, id: Uint8Array, rest = new Uint8Array(0)) {
  const { registration } = await made()
  const length = new Uint8Array([id.length >> 8, id.length & 255])
  const authData = join(
    hashOf(rpId),
    new Uint8Array([UP | UV | AT, 0, 0, 0, 0]),
    new Uint8Array(16),
    length,
    id,
    cose,
    rest,
  )
  const attestationObject = cborMap([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', authData],
  ])
  return edited(registration, { attestationObject: text64(attestationObject) }, text64(id))
}

describe('verifyRegistration refuses', () => {
  test.each<[string, CreateOverrides]>([
    ['client data: type', { type: 'webauthn.get' }],
    ['client data: challenge', { challenge: text64(hashOf('another')) }],
    ['client data: origin', { origin: 'https://example.com' }],
    ['client data: origin', { origin: `${origin}/` }],
    ['client data: crossOrigin', { crossOrigin: true }],
    ['client data: topOrigin', { topOrigin: 'https://top.example' }],
    ['relying party', { rpId: 'access.example.com' }],
    ['user not present', { flags: UV | AT }],
    ['user not verified', { flags: UP | AT }],
    ['no credential', { flags: UP | UV }],
    ['authenticator data: backed up, but not eligible', { flags: UP | UV | AT | BS }],
    ['statement: signature', { attestation: 'packed', badSignature: true }],
  ])('%s: %j', async (why, overrides) => {
    expect(String(await whyNot((await made(overrides)).registration)).startsWith(why)).toBe(true)
  })

  test('an id that is not the credential’s', async () => {
    const { registration } = await made()
    expect(await whyNot({ ...registration, id: text64(hashOf('another')) })).toBe('credential id')
    expect(await whyNot({ ...registration, id: `${registration.id}=` })).toBe('credential id')
    expect(await whyNot({ ...registration, id: '' })).toBe('credential id')
  })

  test('base64url in another spelling', async () => {
    const { registration } = await made()
    const { clientDataJSON, attestationObject } = registration.response
    expect(await whyNot(edited(registration, { clientDataJSON: `${clientDataJSON}=` }))).toBe('base64url')
    expect(await whyNot(edited(registration, { attestationObject: `${attestationObject}=` }))).toBe(
      'attestation object',
    )
    expect(await whyNot(edited(registration, { attestationObject: `${attestationObject}\n` }))).toBe(
      'attestation object',
    )
  })

  test('a key that our tap check could not use', async () => {
    const { authenticator } = await made()
    const cose = authenticator.cosePublicKey
    const id = new Uint8Array(16).fill(1)
    expect(await verified(await forged(cose, id))).toMatchObject({ id: text64(id), publicKey: cose })
    const off = cose.slice()
    off[76]! ^= 1
    const [es384, p384] = [join(cose), join(cose)]
    es384.set([0x38, 0x22], 4)
    p384[6] = 2
    for (const other of [off, p384, cborMap([]), cborMap([[3, -7]])])
      expect(await whyNot(await forged(other, id))).toBe('public key')
    expect(await whyNot(await forged(es384, id))).toBeDefined()
    expect(await whyNot(await forged(cose, id, new Uint8Array(1)))).toBe('authenticator data: bytes left over')
    expect(await whyNot(await forged(cose, new Uint8Array(0)))).toBe('attested credential: length of its id')
  })
})

test('what we accept of thousands of flipped bits, the library accepts as well and reads alike', async () => {
  const attested = await Promise.all([made(), made({ attestation: 'packed' }), made({ flags: UP | UV | AT | ED })])
  const counts = { ours: 0, theirs: 0 }
  const place = fc.record({
    base: fc.nat(2),
    at: fc.nat(0xffff),
    bit: fc.nat(7),
    cut: fc.constantFrom(0, 0, 0, 1, 2, 30),
  })
  await fc.assert(
    fc.asyncProperty(place, async ({ base, at, bit, cut }) => {
      const { registration } = attested[base]!
      const bytes = bytes64(registration.response.attestationObject)
      bytes[at % bytes.length]! ^= 1 << bit
      const attestationObject = text64(cut > 1 ? join(bytes, new Uint8Array(cut)) : bytes.slice(0, bytes.length - cut))
      const sent = edited(registration, { attestationObject })
      const one = { name: '', challenge, origin, rpId, time: someTime, ...sent }
      const [our, their] = [await ours(one), await theirs(one)]
      counts.ours += typeof our === 'string' ? 0 : 1
      counts.theirs += their ? 1 : 0
      if (typeof our !== 'string') expect(our).toEqual(their)
    }),
    { seed: 10, numRuns: 2000 },
  )
  // The keys are new at each run, so the number is not the same each time.
  expect(counts.ours).toBeGreaterThan(20)
  expect(counts.theirs).toBeGreaterThan(counts.ours)
})
