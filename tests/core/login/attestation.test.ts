/** requireAttestation: what a policy takes and refuses, of passkeys that are registered whole. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { AttestationPolicy } from '../../../core/access/preference.ts'
import { fromBase64url } from '../../../core/lib/bytes.ts'
import { creationOptions } from '../../../core/login/options.ts'
import { verifyRegistration } from '../../../core/login/passkey-register.ts'
import { minutes, type UserId } from '../../../core/model.ts'
import { Refusal } from '../../../core/refusal.ts'
import { flag } from '../../authenticator.ts'
import { type Made, makeRoot, now, pemOf } from '../certificates.ts'
import { hashOf, text64 } from '../signer.ts'
import { intentFor, siteOf } from '../tap/judges.ts'
import {
  type Attested,
  android,
  apple,
  challenge,
  type Entries,
  model,
  modelText,
  newPasskey,
  origin,
  type Passkey,
  packed,
  packedSelf,
  registrationOf,
  rpId,
  tpm,
  u2f,
} from './attested.ts'

vi.mock('../../../core/intent.ts', async (original) => ({
  ...(await original<object>()),
  challengeOf: ({ id }: { id: string }) => fromBase64url(id) ?? new Uint8Array(0),
}))

const open: AttestationPolicy = {
  allowedCas: [],
  deniedCas: [],
  allowedAaguids: [],
  deniedAaguids: [],
  backupEligible: true,
}
const pems = (...made: readonly Made[]) => made.map(({ der }) => pemOf(der))
const allowing = (...made: readonly Made[]): AttestationPolicy => ({ ...open, allowedCas: pems(...made) })
const denying = (...made: readonly Made[]): AttestationPolicy => ({ ...open, deniedCas: pems(...made) })

const asking = (attestation: AttestationPolicy | undefined) => ({ kind: 'passkey', attestation }) as const

let passkey: Passkey
let other: Made
beforeAll(async () => {
  // The library reads the clock for the leaf; it takes no other.
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(now)
  passkey = await newPasskey()
  other = await makeRoot({ name: 'CN=Other' })
})

/** The attestation, or the code and why. */
async function judge(format: string, entries: Entries, policy: AttestationPolicy | undefined, of = passkey) {
  const site = siteOf(origin, rpId)
  const registration = registrationOf(of, format, entries)
  try {
    const registered = await verifyRegistration(
      site,
      intentFor(challenge, 'register'),
      registration,
      now,
      asking(policy),
    )
    return registered.attestation
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return `${error.code}: ${error.detail['why']}`
  }
}

const refused = (why: string) => `attestation_refused: ${why}`
const chainTo = (format: string, { name, der }: Made) => ({
  format,
  trust: 'chain',
  ca: { subject: name, hash: text64(hashOf(der)) },
})

describe('each format', () => {
  const formats: readonly (readonly [string, (of: Passkey) => Promise<Attested>])[] = [
    ['packed', packed],
    ['tpm', tpm],
    ['android-key', android],
    ['apple', apple],
    ['fido-u2f', u2f],
  ]
  test.each(formats)('%s is taken and refused as its CA is listed', async (format, make) => {
    const of = format === 'fido-u2f' ? await newPasskey({ aaguid: new Uint8Array(16) }) : passkey
    const { entries, leaf, root } = await make(of)
    const outcome = (policy: AttestationPolicy | undefined) => judge(format, entries, policy, of)
    expect(await outcome(allowing(other, root))).toEqual(chainTo(format, root))
    expect(await outcome(denying(other))).toEqual({ ...chainTo(format, leaf), ca: expect.anything() })
    expect(await outcome(allowing(other))).toBe(refused('no allowed CA'))
    expect(await outcome(denying(other, root))).toBe(refused('a denied CA'))
    expect(await outcome({ ...allowing(root), deniedCas: pems(root) })).toBe(refused('a denied CA'))
    for (const policy of [undefined, open])
      expect(await outcome(policy)).toEqual({ format, trust: 'none', ca: undefined })
  })
})

describe('without certificates', () => {
  test('no attestation and self attestation are refused as soon as a list of CAs is set', async () => {
    for (const policy of [allowing(other), denying(other)]) {
      expect(await judge('none', [], policy)).toBe(refused('no attestation'))
      expect(await judge('packed', packedSelf(passkey), policy)).toBe(refused('self attestation'))
    }
  })

  test('both are taken where no CA is listed, and say what they are worth', async () => {
    for (const policy of [undefined, open]) {
      expect(await judge('none', [], policy)).toEqual({ format: 'none', trust: 'none', ca: undefined })
      expect(await judge('packed', packedSelf(passkey), policy)).toEqual({
        format: 'packed',
        trust: 'self',
        ca: undefined,
      })
    }
  })
})

describe('the lists', () => {
  test('the time is the one that is given', async () => {
    const late = await packed(passkey, { until: now + 1000 })
    const policy = allowing(late.root)
    expect(await judge('packed', late.entries, policy)).toMatchObject({ trust: 'chain' })
    const site = siteOf(origin, rpId)
    const again = verifyRegistration(
      site,
      intentFor(challenge, 'register'),
      registrationOf(passkey, 'packed', late.entries),
      now + 2000,
      asking(policy),
    )
    await expect(again).rejects.toMatchObject({
      code: 'attestation_refused',
      detail: { why: 'certificate 0: expired' },
    })
  })

  test('one that cannot be read, or is too long, lets nobody in', async () => {
    const { entries, root } = await packed(passkey)
    const unreadable = [
      '',
      'text',
      pemOf(new Uint8Array(40)),
      pems(other)[0]!.replace('CERTIFICATE', 'PRIVATE KEY'),
      `${pems(other)[0]}${pems(root)[0]}`,
    ]
    for (const pem of unreadable) {
      const lists = [
        { ...allowing(root), deniedCas: [pem] },
        { ...open, allowedCas: [pem, ...pems(root)] },
      ]
      for (const policy of lists) expect(await judge('packed', entries, policy)).toBe(refused('policy: its CAs'))
    }
    const many = (count: number) => ({ ...open, allowedCas: Array.from({ length: count }, () => pems(root)[0]!) })
    expect(await judge('packed', entries, many(64))).toMatchObject({ trust: 'chain' })
    expect(await judge('packed', entries, many(65))).toBe(refused('policy: its CAs'))
    expect(await judge('packed', entries, { ...allowing(root), deniedCas: many(65).allowedCas })).toBe(
      refused('policy: its CAs'),
    )
  })

  test('a refusal tells the operator which check it was, and everybody else one word', async () => {
    const registration = registrationOf(passkey, 'none', [])
    const work = verifyRegistration(
      siteOf(origin, rpId),
      intentFor(challenge, 'register'),
      registration,
      now,
      asking(allowing(other)),
    )
    await expect(work).rejects.toMatchObject({
      status: 403,
      word: 'authenticator_refused',
      told: '',
      detail: { why: 'no attestation', format: 'none', aaguid: modelText },
    })
  })
})

describe('AAGUIDs and backup', () => {
  const another = '08080808-0808-0808-0808-080808080808'
  test.each<[what: string, policy: Partial<AttestationPolicy>, why: string | undefined]>([
    ['an allowed one', { allowedAaguids: [another, modelText] }, undefined],
    ['an allowed one in capitals', { allowedAaguids: [modelText.toUpperCase()] }, undefined],
    ['one that is not allowed', { allowedAaguids: [another] }, 'no allowed AAGUID'],
    ['a denied one', { deniedAaguids: [another, modelText] }, 'a denied AAGUID'],
    ['one that is not denied', { deniedAaguids: [another] }, undefined],
    ['one that is allowed and denied', { allowedAaguids: [modelText], deniedAaguids: [modelText] }, 'a denied AAGUID'],
  ])('%s', async (_what, policy, why) => {
    const { entries, root } = await packed(passkey)
    const expected = (trust: string) => (why === undefined ? expect.objectContaining({ trust }) : refused(why))
    expect(await judge('none', [], { ...open, ...policy })).toEqual(expected('none'))
    expect(await judge('packed', entries, { ...allowing(root), ...policy })).toEqual(expected('chain'))
  })

  test('a passkey that may be synced is refused where the policy says so, whatever CA it has', async () => {
    const synced = await newPasskey({ flags: flag.UP | flag.UV | flag.AT | flag.BE, aaguid: model })
    const { entries, root } = await packed(synced)
    const strict = { ...allowing(root), backupEligible: false }
    expect(await judge('packed', entries, strict, synced)).toBe(refused('may be synced'))
    expect(await judge('none', [], { ...open, backupEligible: false }, synced)).toBe(refused('may be synced'))
    expect(await judge('packed', entries, allowing(root), synced)).toMatchObject({ trust: 'chain' })
    expect(await judge('none', [], { ...open, backupEligible: false })).toMatchObject({ trust: 'none' })
  })
})

test('creationOptions ask for certificates exactly where a list of CAs is set', () => {
  const asked = (policy: AttestationPolicy | undefined) =>
    creationOptions(
      siteOf(origin, rpId),
      intentFor(challenge, 'register'),
      minutes(5),
      { id: 'AAAA' as UserId, name: 'a' },
      [],
      asking(policy),
    ).attestation
  for (const policy of [undefined, open, { ...open, allowedAaguids: [modelText], backupEligible: false }])
    expect(asked(policy)).toBe('none')
  for (const policy of [allowing(other), denying(other)]) expect(asked(policy)).toBe('direct')
})
