/** verifyTap: what it accepts, and every single way to deviate from that, each refused for its own reason. */
import { describe, expect, test } from 'vitest'
import { challengeOf, type Intent, type Purpose } from '../../../core/intent.ts'
import type { CredentialKind, Holder, UserId } from '../../../core/model.ts'
import { Refusal, type RefusalCode } from '../../../core/refusal.ts'
import { importPublicKey } from '../../../core/tap/public-key.ts'
import { type AssertionJson, type Shown, verifyTap } from '../../../core/tap/verify.ts'
import { flag } from '../../authenticator.ts'
import { cborMap, encodeCbor } from '../cbor-writer.ts'
import { assertionOf, authenticatorDataOf, bytes64, hashOf, join, type Signer, signers, text64 } from '../signer.ts'

const { UP, UV, BE, BS, AT, ED } = flag
const origin = 'https://access.example.com'
const rpId = 'example.com'
const site = { cluster: 'access.example.com', origin, rpId, rpIdHash: hashOf(rpId) }
const [es256, eddsa, rs256] = signers as [Signer, Signer, Signer]

const intent: Intent<'vouch'> = {
  v: 1,
  cluster: site.cluster,
  purpose: 'vouch',
  id: 'zT1OtIX9aV9H5WKvbGksEg',
  user: 'aUserOf16Bytes',
  holder: 'aHolder',
  subject: { user: 'aUserOf16Bytes', credential_id: 'AAAA', public_key_hash: 'BBBB', may_vouch: false },
  iat: 1_767_225_900,
  exp: 1_767_226_200,
}
const shown: Shown<Purpose> = {
  site,
  purpose: intent.purpose,
  holder: intent.holder as Holder,
  user: intent.user as UserId,
  subject: intent.subject,
  now: intent.iat * 1000 + 1000,
}

type Changes = Readonly<Record<string, unknown>>

/** One deviation from a good tap. What is signed is what is sent, unless `sent` alters it after the signature. */
interface Deviation {
  readonly intent?: Changes
  readonly shown?: Changes
  readonly clientData?: Changes
  /** Instead of the client data's JSON. */
  readonly clientBytes?: (json: string) => Uint8Array
  readonly rpId?: string
  readonly flags?: number
  readonly rest?: readonly Uint8Array[]
  readonly sent?: (assertion: AssertionJson) => AssertionJson
  readonly signer?: Signer
  readonly key?: Signer
  readonly kind?: CredentialKind
}

async function tapWith(deviation: Deviation) {
  const { signer = es256, key = signer, flags = UP | UV, rest = [], sent = (assertion) => assertion } = deviation
  const approved = { ...intent, ...deviation.intent } as Intent
  const challenge = text64(await challengeOf(approved))
  const members = { type: 'webauthn.get', challenge, origin, crossOrigin: false, ...deviation.clientData }
  const { clientBytes = (json: string) => Buffer.from(json) } = deviation
  const clientData = clientBytes(JSON.stringify(members))
  const data = authenticatorDataOf(deviation.rpId ?? rpId, flags, 7, ...rest)
  const tap = { intent: approved, assertion: sent(assertionOf(signer, clientData, data)) }
  const publicKey = await importPublicKey(key.cose)
  const { kind = 'passkey' } = deviation
  return verifyTap(tap, { kind, publicKey: publicKey! }, { ...shown, ...deviation.shown } as Shown<Purpose>)
}

/** The code and, where there is one, the reason; anything but a Refusal fails the test. */
async function refusalOf(tap: Promise<unknown>): Promise<[code: RefusalCode, why: unknown]> {
  const outcome = await tap.then(
    () => 'accepted',
    (error: unknown) => error,
  )
  if (!(outcome instanceof Refusal)) throw new Error(`not refused: ${outcome}`, { cause: outcome })
  return [outcome.code, outcome.detail['why']]
}

const attested = join(new Uint8Array(16), new Uint8Array([0, 1, 9]), es256.cose)
const extensions = encodeCbor(new Map([['credProtect', 2]]))

describe('verifyTap accepts', () => {
  test.each(signers.map((signer) => [signer.name, signer] as const))('a tap with %s', async (_name, signer) => {
    const credentialId = text64(hashOf(signer.cose))
    const evidence = { credentialId, kind: 'passkey', rpId: 'example.com', counter: 7, backedUp: false }
    expect(await tapWith({ signer })).toEqual(evidence)
    expect(await tapWith({ signer, flags: UP | UV | ED, rest: [extensions] })).toEqual(evidence)
    expect(await tapWith({ signer, flags: UP | UV | BE })).toEqual(evidence)
    expect(await tapWith({ signer, flags: UP | UV | BE | BS })).toEqual({ ...evidence, backedUp: true })
  })

  test.each<[string, Deviation]>([
    ['client data without crossOrigin', { clientData: { crossOrigin: undefined } }],
    ['client data with members of a later specification', { clientData: { extra: { a: [1] } } }],
    ['client data in another order and with white space', { clientBytes: (json) => Buffer.from(` ${json}\n`) }],
    ['client data with escapes', { clientBytes: (json) => Buffer.from(json.replace('https', '\\u0068ttps')) }],
    ['a subject whose members stand in another order', { shown: { subject: reversed(intent.subject) } }],
    ['the last moment before it expires', { shown: { now: intent.exp * 1000 - 1 } }],
    ['an intent from 30 seconds in the future', { shown: { now: intent.iat * 1000 - 30_000 } }],
    ['an intent and a caller without user', { intent: { user: undefined }, shown: { user: undefined } }],
    ['reserved flags', { flags: UP | UV | 0x02 | 0x20 }],
    ['an empty map of extensions', { flags: UP | UV | ED, rest: [encodeCbor(new Map())] }],
  ])('%s', async (_what, deviation) => {
    expect(await tapWith(deviation)).toMatchObject({ counter: 7 })
  })
})

function reversed(subject: object): object {
  return Object.fromEntries(Object.entries(subject).reverse())
}

const wrong = (why: string): [RefusalCode, string] => ['assertion_wrong', why]
const malformed = (why: string): [RefusalCode, string] => ['assertion_malformed', why]
const code = (name: RefusalCode): [RefusalCode, undefined] => [name, undefined]

const deviations: readonly (readonly [what: string, Deviation, readonly [RefusalCode, string | undefined]])[] = [
  ['the intent of another cluster', { intent: { cluster: 'access.example.org' } }, code('wrong_cluster')],
  ['shown at another cluster', { shown: { site: { ...site, cluster: 'access.example.org' } } }, code('wrong_cluster')],
  ['no holder in the intent', { intent: { holder: undefined } }, code('wrong_holder')],
  ['no holder in the caller', { shown: { holder: undefined } }, code('wrong_holder')],
  ['no holder in both', { intent: { holder: undefined }, shown: { holder: undefined } }, code('wrong_holder')],
  ['another holder', { shown: { holder: 'anotherHolder' } }, code('wrong_holder')],
  ['no user in the intent', { intent: { user: undefined } }, code('wrong_user')],
  ['no user in the caller', { shown: { user: undefined } }, code('wrong_user')],
  ['another user', { shown: { user: 'anotherUser' } }, code('wrong_user')],
  ['expired, at exp itself', { shown: { now: intent.exp * 1000 } }, code('ticket_expired')],
  ['expired long ago', { shown: { now: intent.exp * 2000 } }, code('ticket_expired')],
  ['30.001 s in the future', { shown: { now: intent.iat * 1000 - 30_001 } }, ['ticket_invalid', 'from the future']],
  ['type webauthn.create', { clientData: { type: 'webauthn.create' } }, wrong('client data: type')],
  ['type in capitals', { clientData: { type: 'WEBAUTHN.GET' } }, wrong('client data: type')],
  ['no type', { clientData: { type: undefined } }, wrong('client data: type')],
  ['type in a list', { clientData: { type: ['webauthn.get'] } }, wrong('client data: type')],
  ['no challenge', { clientData: { challenge: undefined } }, wrong('client data: challenge')],
  ['an empty challenge', { clientData: { challenge: '' } }, wrong('client data: challenge')],
  ['another challenge', { clientData: { challenge: text64(hashOf('x')) } }, wrong('client data: challenge')],
  ['relying party: the origin’s host', { rpId: 'access.example.com' }, wrong('relying party')],
  ['relying party: another', { rpId: 'example.org' }, wrong('relying party')],
  ['UP missing', { flags: UV }, wrong('user not present')],
  ['UV missing', { flags: UP }, wrong('user not verified')],
  ['no flags', { flags: 0 }, wrong('user not present')],
  ['attested data', { flags: UP | UV | AT, rest: [attested] }, wrong('attested data in an assertion')],
  [
    'attested data and extensions',
    { flags: UP | UV | AT | ED, rest: [attested, extensions] },
    wrong('attested data in an assertion'),
  ],
  [
    'backed up without being eligible',
    { flags: UP | UV | BS },
    malformed('authenticator data: backed up, but not eligible'),
  ],
  ['a trailing byte', { rest: [new Uint8Array(1)] }, malformed('authenticator data: bytes left over')],
  ['a trailing credential', { rest: [attested] }, malformed('authenticator data: bytes left over')],
  ['AT and no credential', { flags: UP | UV | AT }, malformed('attested credential: too short')],
  ['ED and no extensions', { flags: UP | UV | ED }, malformed('authenticator data: extensions')],
  [
    'extensions that are no map',
    { flags: UP | UV | ED, rest: [encodeCbor([])] },
    malformed('authenticator data: extensions are no map'),
  ],
  ['client data: no JSON', { clientBytes: () => Buffer.from('{') }, wrong('client data: no JSON object')],
  ['client data: nothing', { clientBytes: () => Buffer.alloc(0) }, wrong('client data: no JSON object')],
  ['client data: a list', { clientBytes: (json) => Buffer.from(`[${json}]`) }, wrong('client data: no JSON object')],
  ['client data: null', { clientBytes: () => Buffer.from('null') }, wrong('client data: no JSON object')],
  ['client data: text', { clientBytes: () => Buffer.from('"a"') }, wrong('client data: no JSON object')],
  [
    'client data: two objects',
    { clientBytes: (json) => Buffer.from(json + json) },
    wrong('client data: no JSON object'),
  ],
  [
    'client data: a byte order mark',
    { clientBytes: (json) => Buffer.from(`\ufeff${json}`) },
    wrong('client data: no JSON object'),
  ],
  [
    'client data: not UTF-8',
    { clientBytes: (json) => Buffer.from(`${json.slice(0, -1)},"x":"\xff"}`, 'latin1') },
    wrong('client data: no JSON object'),
  ],
  [
    'a good origin first and another one after',
    { clientBytes: (json) => Buffer.from(json.replace(/}$/, ',"origin":"https://evil.example"}')) },
    wrong('client data: origin'),
  ],
  ['another key of the same kind', { key: { ...es256, cose: otherCose() } }, wrong('signature')],
  ['ES256 checked with an Ed25519 key', { key: eddsa }, wrong('signature')],
  ['Ed25519 checked with an ES256 key', { signer: eddsa, key: es256 }, wrong('signature')],
  ['RS256 checked with an ES256 key', { signer: rs256, key: es256 }, wrong('signature')],
  ['an empty signature', { sent: (sent) => response(sent, { signature: '' }) }, wrong('signature')],
  ['no client data', { sent: (sent) => response(sent, { clientDataJSON: '' }) }, wrong('client data: no JSON object')],
  [
    'no authenticator data',
    { sent: (sent) => response(sent, { authenticatorData: '' }) },
    malformed('authenticator data: too short'),
  ],
  ['no credential id', { sent: (sent) => ({ ...sent, id: '' }) }, malformed('base64url')],
]

/** A point on P-256 whose private half nobody used here: the base point. */
function otherCose() {
  const x = '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'
  const y = '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5'
  return cborMap([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, new Uint8Array(Buffer.from(x, 'hex'))],
    [-3, new Uint8Array(Buffer.from(y, 'hex'))],
  ])
}

function response(sent: AssertionJson, changes: Partial<AssertionJson['response']>): AssertionJson {
  return { ...sent, response: { ...sent.response, ...changes } }
}

describe('verifyTap refuses', () => {
  test.each(deviations)('%s', async (_what, deviation, expected) => {
    expect(await refusalOf(tapWith(deviation))).toEqual(expected)
  })

  test.each([
    'https://evil.example',
    'https://example.com',
    'https://other.example.com',
    'https://x.access.example.com',
    'https://access.example.com/',
    'https://access.example.com:443',
    'https://access.example.com:8443',
    'https://access.example.com.',
    'https://ACCESS.example.com',
    'HTTPS://access.example.com',
    'http://access.example.com',
    'https://access.example.com.evil.example',
    'https://access.example.com@evil.example',
    ' https://access.example.com',
    'https://access.example.com\u0000',
    'https://аccess.example.com',
    'access.example.com',
    'null',
    '',
    undefined,
    null,
    ['https://access.example.com'],
  ])('the origin %j', async (other) => {
    expect(await refusalOf(tapWith({ clientData: { origin: other } }))).toEqual(wrong('client data: origin'))
  })

  test.each([true, null, 0, 1, '', 'false', {}])('crossOrigin %j', async (crossOrigin) => {
    expect(await refusalOf(tapWith({ clientData: { crossOrigin } }))).toEqual(wrong('client data: crossOrigin'))
  })

  test.each([origin, 'https://top.example', '', null, false])('topOrigin %j', async (topOrigin) => {
    expect(await refusalOf(tapWith({ clientData: { topOrigin } }))).toEqual(wrong('client data: topOrigin'))
  })

  test('a challenge in any other spelling of the same bytes', async () => {
    const challenge = text64(await challengeOf(intent))
    const standard = Buffer.from(await challengeOf(intent)).toString('base64')
    for (const other of [`${challenge}=`, standard, ` ${challenge}`, `${challenge}\n`, tailOf(challenge)])
      expect(await refusalOf(tapWith({ clientData: { challenge: other } })), other).toEqual(
        wrong('client data: challenge'),
      )
  })
})

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** The same bytes with a bit set that carries nothing; the text must have such bits. */
const tailOf = (text: string) => text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.at(-1) ?? '') + 1)

const purposes: readonly Purpose[] = [
  'login',
  'cli',
  'register',
  'vouch',
  'session',
  'admin',
  'recovery',
  'device-enroll',
  'device',
  'device-web',
  'presence',
]

describe.each(purposes)('verifyTap shown an intent for %s', (purpose) => {
  const others = purposes.filter((other) => other !== purpose)

  test('accepts it for that purpose', async () => {
    expect(await tapWith({ intent: { purpose }, shown: { purpose } })).toMatchObject({ counter: 7 })
  })

  test.each(others)('refuses it for %s', async (other) => {
    expect(await refusalOf(tapWith({ intent: { purpose }, shown: { purpose: other } }))).toEqual(code('wrong_purpose'))
  })

  test('wants user verification, unless presence is all that is asked', async () => {
    const tap = tapWith({ intent: { purpose }, shown: { purpose }, flags: UP })
    if (purpose === 'presence') expect(await tap).toMatchObject({ counter: 7 })
    else expect(await refusalOf(tap)).toEqual(wrong('user not verified'))
  })

  test('always wants the user present', async () => {
    const tap = tapWith({ intent: { purpose }, shown: { purpose }, flags: UV })
    expect(await refusalOf(tap)).toEqual(wrong('user not present'))
  })
})

/** A subject of each kind that exists today. */
const subjects: Readonly<Record<string, Readonly<Record<string, string | boolean>>>> = {
  'first-administrator': { kind: 'first-administrator', name: 'Ada', link: 'AAAA' },
  passkey: { kind: 'passkey', name: 'Backup', may_vouch: false, vouch_key: 'AAAA' },
  vouch: { user: 'U', credential_id: 'C', public_key_hash: 'H', may_vouch: true },
  admin: { method: 'POST', path: '/v1/x', body_hash: 'B', revision: 'R', summary: 'Remove' },
}

describe.each(Object.entries(subjects))('verifyTap shown a subject of %s', (_name, subject) => {
  test.each(Object.keys(subject))('refuses another %s', async (member) => {
    const value = subject[member]
    const others =
      typeof value === 'boolean' ? [!value, String(value), Number(value)] : [`${value} `, '', null, [value]]
    for (const other of [...others, undefined]) {
      const tap = tapWith({ intent: { subject }, shown: { subject: { ...subject, [member]: other } } })
      expect(await refusalOf(tap), JSON.stringify(other)).toEqual(code('wrong_subject'))
    }
  })

  test('refuses one member more, on either side', async () => {
    const more = { ...subject, extra: null }
    expect(await refusalOf(tapWith({ intent: { subject }, shown: { subject: more } }))).toEqual(code('wrong_subject'))
    expect(await refusalOf(tapWith({ intent: { subject: more }, shown: { subject } }))).toEqual(code('wrong_subject'))
  })

  test('refuses nothing at all', async () => {
    expect(await refusalOf(tapWith({ intent: { subject }, shown: { subject: {} } }))).toEqual(code('wrong_subject'))
  })
})

const parts = ['clientDataJSON', 'authenticatorData', 'signature'] as const
/** Texts whose last character has bits to spare: with EdDSA the signature is 64 bytes, and the padding makes it so. */
const spare: Deviation = { signer: eddsa, clientBytes: (json) => Buffer.from(json.padEnd(220)) }

describe('verifyTap reads base64url in its one spelling', () => {
  const spellings: readonly (readonly [what: string, (text: string) => string])[] = [
    ['padded', (text) => text.padEnd(Math.ceil(text.length / 4) * 4, '=')],
    ['with one padding character', (text) => `${text}=`],
    ['with a line break after it', (text) => `${text}\n`],
    ['with a space before it', (text) => ` ${text}`],
    ['with a tab in it', (text) => `${text.slice(0, 4)}\t${text.slice(4)}`],
    ['with bits in its tail', tailOf],
    ['in the standard alphabet', (text) => `${text.slice(0, 4)}+/+/${text.slice(8)}`],
    ['with a character too many', (text) => `${text}AAAAA`.slice(0, 4 * Math.ceil(text.length / 4) + 1)],
    ['with NUL after it', (text) => `${text}\u0000`],
  ]

  test('the plain one', async () => {
    expect(await tapWith(spare)).toMatchObject({ counter: 7 })
  })

  test.each(spellings)('and refuses a text %s', async (_what, spelt) => {
    for (const part of parts) {
      const sent = (assertion: AssertionJson) => response(assertion, { [part]: spelt(assertion.response[part]) })
      expect(await refusalOf(tapWith({ ...spare, sent })), part).toEqual(malformed('base64url'))
    }
    const sent = (assertion: AssertionJson) => ({ ...assertion, id: spelt(assertion.id) })
    expect(await refusalOf(tapWith({ ...spare, sent })), 'id').toEqual(malformed('base64url'))
  })
})

describe('verifyTap refuses any one altered bit', () => {
  test.each(parts)('of %s', async (part) => {
    let length = 1
    for (let bit = 0; bit < length * 8; bit++) {
      const sent = (assertion: AssertionJson) => {
        const bytes = bytes64(assertion.response[part])
        length = bytes.length
        bytes[(bit >> 3) % length]! ^= 1 << (bit & 7)
        return response(assertion, { [part]: text64(bytes) })
      }
      const [name] = await refusalOf(tapWith({ sent }))
      expect(['assertion_wrong', 'assertion_malformed'], `bit ${bit}`).toContain(name)
    }
  })
})
