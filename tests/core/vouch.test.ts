import { createHash, createPublicKey, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { challengeOf, type Intent, type Json, type VouchSubject } from '../../core/intent.ts'
import { base64url } from '../../core/lib/bytes.ts'
import { parseVouchKey, signVouch, thumbprintOf, type VouchKey, vouchIntent, vouchIsRight } from '../../core/vouch.ts'
import { addPasskey, newVouchKey } from '../client.ts'
import { newAdministrator } from '../edge.ts'
import { bytes64, hashOf, join, text64 } from './signer.ts'
import { intentVectors, oauthVectors, signingKeys } from './vectors.ts'

const golden = intentVectors()
const { key, signature, thumbprint } = golden.vouch
const tapped = golden.intents[golden.vouch.tapped]!.intent
const vouched = golden.intents[golden.vouch.intent]!
const subject = vouched.intent.subject as VouchSubject

describe('the golden vouch', () => {
  test('vouchIntent follows from the tapped intent, down to its challenge', async () => {
    expect(vouchIntent(tapped, subject)).toEqual(vouched.intent)
    expect(base64url(await challengeOf(vouchIntent(tapped, subject)))).toBe(vouched.challenge)
  })

  test('vouchIsRight knows its signature', async () => {
    expect(await vouchIsRight(key, signature, tapped, subject)).toBe(true)
  })

  test('thumbprintOf names its key', async () => {
    expect(await thumbprintOf(key)).toBe(thumbprint)
  })
})

test('thumbprintOf is RFC 7638, as RFC 9449 has it for an EC key', async () => {
  const { proofs, jkt } = oauthVectors().rfc9449
  for (const { proof } of proofs) {
    const header = JSON.parse(Buffer.from(proof.split('.')[0] ?? '', 'base64url').toString()) as { jwk: VouchKey }
    expect(await thumbprintOf(header.jwk)).toBe(jkt)
  }
})

/** The signature is the golden one, over the golden intent and subject; one thing at a time is another. */
describe('vouchIsRight refuses', () => {
  test.each<[string, Partial<VouchSubject>]>([
    ['another credential', { credential_id: `${subject.credential_id.slice(0, -1)}A` }],
    ['another user', { user: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['another public key', { public_key_hash: text64(hashOf('another')) }],
    ['may_vouch turned round', { may_vouch: !subject.may_vouch }],
    ['one member more', { extra: 1 } as object],
  ])('%s', async (_what, changes) => {
    expect(await vouchIsRight(key, signature, tapped, { ...subject, ...changes })).toBe(false)
  })

  test.each(['cluster', 'id', 'user', 'holder', 'iat', 'exp'] as const)('a tap whose %s is another', async (member) => {
    const value = tapped[member]
    const other = { ...tapped, [member]: typeof value === 'number' ? value + 1 : `${value}x` }
    expect(await vouchIsRight(key, signature, other, subject)).toBe(false)
  })

  test('the signature of another key', async () => {
    const other = await newVouchKey()
    expect(await vouchIsRight(other.vouch_key, signature, tapped, subject)).toBe(false)
    const theirs = await signVouch(other.privateKey, tapped, subject)
    expect(await vouchIsRight(other.vouch_key, theirs, tapped, subject)).toBe(true)
    expect(await vouchIsRight(key, theirs, tapped, subject)).toBe(false)
  })

  test('every altered bit of the signature', async () => {
    for (let bit = 0; bit < 512; bit++) {
      const bytes = bytes64(signature)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(await vouchIsRight(key, text64(bytes), tapped, subject), `bit ${bit}`).toBe(false)
    }
  })

  test('a signature that is no 64 bytes, or spelt otherwise', async () => {
    const bytes = bytes64(signature)
    const others = [
      bytes.slice(0, 63),
      join(bytes, new Uint8Array(1)),
      join(new Uint8Array(1), bytes),
      bytes.slice(0, 0),
    ]
    const der = join(new Uint8Array([0x30, 68, 2, 32]), bytes.slice(0, 32), new Uint8Array([2, 32]), bytes.slice(32))
    const texts = [...others, der].map(text64)
    for (const text of [...texts, `${signature}==`, `${signature} `, '!', Buffer.from(bytes).toString('base64')])
      expect(await vouchIsRight(key, text, tapped, subject), text).toBe(false)
  })

  test('a signature over the tapped intent itself: an answer for register is none for vouch', async () => {
    const { privateKey, vouch_key } = await newVouchKey()
    const raw = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, await challengeOf(tapped))
    expect(await vouchIsRight(vouch_key, base64url(new Uint8Array(raw)), tapped, subject)).toBe(false)
  })

  test('a point that is not on the curve, without throwing', async () => {
    const off = { ...key, y: text64(hashOf('not on the curve')) }
    expect(parseVouchKey(off)).toEqual(off)
    expect(await vouchIsRight(off, signature, tapped, subject)).toBe(false)
    const zero = text64(new Uint8Array(32))
    expect(await vouchIsRight({ ...key, x: zero, y: zero }, signature, tapped, subject)).toBe(false)
  })
})

describe('parseVouchKey', () => {
  test('reads the four members in any order', () => {
    expect(parseVouchKey(key)).toEqual(key)
    expect(parseVouchKey(Object.fromEntries(Object.entries(key).reverse()))).toEqual(key)
  })

  const { x, y } = key
  test.each<[string, Json | undefined]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'key'],
    ['a list', [key as unknown as Json]],
    ['no members', {}],
    ['another kty', { ...key, kty: 'OKP' }],
    ['another curve', { ...key, crv: 'P-384' }],
    ['no x', { kty: 'EC', crv: 'P-256', y }],
    ['no y', { kty: 'EC', crv: 'P-256', x }],
    ['x as a number', { ...key, x: 1 }],
    ['x of 31 bytes', { ...key, x: text64(bytes64(x).slice(1)) }],
    ['x of 33 bytes', { ...key, x: text64(join(new Uint8Array(1), bytes64(x))) }],
    ['x with padding', { ...key, x: `${x}=` }],
    ['x with bits in its tail', { ...key, x: x.slice(0, -1) + tailOf(x) }],
    ['y in the standard alphabet', { ...key, y: `+/${y.slice(2)}` }],
    ['y with white space', { ...key, y: `${y}\n` }],
    ['a member more', { ...key, kid: '1' }],
    ['a member that is null', { ...key, alg: null }],
    ['a member named __proto__', JSON.parse(`{"__proto__":1,${JSON.stringify(key).slice(1)}`) as Json],
    ['its private half', signingKeys().ES256 as Json],
  ])('refuses %s', (_what, json) => {
    expect(parseVouchKey(json)).toBeUndefined()
  })
})

/** The last character of the same bytes with another bit set that carries nothing. */
function tailOf(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(text.at(-1) ?? '') ^ 1)
}

interface CredentialRow {
  readonly id: string
  readonly user_id: string
  readonly public_key: Uint8Array
  readonly may_vouch: number
  readonly is_root: number
  readonly vouch: string | null
}

/** RFC 8785 for what these rows hold: ASCII names, whole numbers. */
function canonical(json: Json): string {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return JSON.stringify(json)
  const members = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${canonical(value)}`).join(',')}}`
}

const challengeIn = (intent: Json) => hashOf(`sallyport intent v1\0${canonical(intent)}`)

/** The COSE_Key of ES256 is 77 bytes long, and its coordinates stand where they stand. */
function publicKeyOf({ public_key: cose }: CredentialRow) {
  expect(cose).toHaveLength(77)
  const [x, y] = [cose.slice(10, 42), cose.slice(45)].map((bytes) => Buffer.from(bytes).toString('base64url'))
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x!, y: y! }, format: 'jwk' })
}

/** Who reads only the database, and trusts nothing of ours, can follow a credential to the root that admitted it. */
test('a stored vouch verifies from its row alone', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const added = await edge.authenticator()
  expect((await addPasskey(visitor, passkey, added)).status).toBe(200)

  const rows = edge.rows('select * from credentials') as unknown as CredentialRow[]
  const row = rows.find(({ id }) => id === added.credentialId)!
  expect(row).toMatchObject({ is_root: 0, may_vouch: 1 })
  const vouch = JSON.parse(row.vouch ?? '') as {
    v: number
    tap: StoredTap
    key: Record<string, string>
    signature: string
  }
  expect(Object.keys(vouch).sort()).toEqual(['key', 'signature', 'tap', 'v'])
  const { intent, assertion } = vouch.tap

  const root = rows.find(({ id }) => id === assertion.id)!
  expect(root).toMatchObject({ is_root: 1, may_vouch: 1, user_id: row.user_id, vouch: null })
  const [clientData, data, tapSignature] = [
    assertion.response.clientDataJSON,
    assertion.response.authenticatorData,
    assertion.response.signature,
  ].map((text) => Buffer.from(text, 'base64url')) as [Buffer, Buffer, Buffer]
  const { type, challenge, origin } = JSON.parse(clientData.toString()) as Record<string, string>
  expect({ type, origin }).toEqual({ type: 'webauthn.get', origin: edge.site.origin })
  expect(challenge).toBe(text64(challengeIn(intent)))
  expect(data.subarray(0, 32).equals(createHash('sha256').update(edge.site.rpId).digest())).toBe(true)
  expect(data[32]! & 5).toBe(5)
  expect(verify('sha256', join(data, hashOf(clientData)), publicKeyOf(root), tapSignature)).toBe(true)

  const named = {
    user: row.user_id,
    credential_id: row.id,
    public_key_hash: text64(hashOf(row.public_key)),
    may_vouch: row.may_vouch === 1,
  }
  const { kty, crv, x, y } = vouch.key
  expect(intent['subject']).toMatchObject({ vouch_key: text64(hashOf(JSON.stringify({ crv, kty, x, y }))) })
  const oneTimeKey = createPublicKey({ key: vouch.key, format: 'jwk' })
  const checked = { key: oneTimeKey, dsaEncoding: 'ieee-p1363' } as const
  const over = (said: Json) => challengeIn({ ...intent, purpose: 'vouch', subject: said })
  const stored = Buffer.from(vouch.signature, 'base64url')
  expect(verify('sha256', over(named), checked, stored)).toBe(true)
  expect(verify('sha256', over({ ...named, may_vouch: false }), checked, stored)).toBe(false)
})

interface StoredTap {
  readonly intent: { readonly [member: string]: Json }
  readonly assertion: {
    readonly id: string
    readonly response: { clientDataJSON: string; authenticatorData: string; signature: string }
  }
}

test('signVouch signs what vouchIsRight checks, for a tap without user or holder as well', async () => {
  const { privateKey, vouch_key } = await newVouchKey()
  const { user: _user, holder: _holder, ...bare } = tapped as Intent<'register'>
  const signed = await signVouch(privateKey, bare, subject)
  expect(await vouchIsRight(vouch_key, signed, bare, subject)).toBe(true)
  expect(await vouchIsRight(vouch_key, signed, tapped, subject)).toBe(false)
})
