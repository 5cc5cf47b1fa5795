/** Holds the forms fast that evidence is made of: tests/vectors/intent.json was made without the code that is tested here. */
import { describe, expect, test } from 'vitest'
import { canonicalJson, challengeOf, type Intent, type Json, openTicket, sealTicket } from '../../core/intent.ts'
import { deriveKeys, parseSecret } from '../../core/keys.ts'
import { base64url, concat, fromBase64url, utf8 } from '../../core/lib/bytes.ts'
import { hmac, hmacIsRight, hmacKey, sha256 } from '../../core/lib/hash.ts'
import { proveOffer } from '../../core/login/operator-offer.ts'
import { intentVectors } from './vectors.ts'

const golden = intentVectors()
const keys = await deriveKeys(parseSecret(golden.sallyport_key)!)
const cases = golden.intents.map((one) => [one.name, one] as const)
const canonical = (json: Json) => new TextDecoder().decode(canonicalJson(json))

describe.each(cases)('the golden intent "%s"', (_name, { intent, canonical: form, ticket, challenge }) => {
  test('canonicalJson writes its one form', () => {
    expect(canonicalJson(intent)).toEqual(utf8(form))
  })

  test('challengeOf is what a key signed', async () => {
    expect(base64url(await challengeOf(intent))).toBe(challenge)
  })

  test('sealTicket makes its ticket, and openTicket reads it back', async () => {
    expect(await sealTicket(keys.ticket, intent)).toBe(ticket)
    expect(await openTicket(keys.ticket, ticket)).toEqual({ kind: 'value', value: intent, used: ticket.length })
  })

  test('the order of its members changes nothing', async () => {
    const turned = JSON.parse(JSON.stringify(intent), (_key, value: Json) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    ) as Intent
    expect(await sealTicket(keys.ticket, turned)).toBe(ticket)
  })
})

describe('deriveKeys', () => {
  test('derives the key that seals, the public check and the key of the operator from SALLYPORT_KEY', async () => {
    const { cluster, offer, proof, canonical: form } = golden.offer
    expect(keys.check).toBe(golden.key_check)
    expect(await proveOffer(keys.operator, cluster, { offer: 'first-administrator' }, offer)).toBe(proof)
    expect(await hmacIsRight(keys.operator, fromBase64url(proof)!, utf8(form))).toBe(true)
  })

  test('gives each key one use: the check seals nothing, and no key is another', async () => {
    const check = await hmacKey(fromBase64url(keys.check)!)
    const message = utf8('message')
    const macs = await Promise.all([keys.ticket, keys.operator, check].map((key) => hmac(key, message)))
    expect(new Set(macs.map(base64url)).size).toBe(3)
  })

  test('another SALLYPORT_KEY opens no ticket', async () => {
    const secret = parseSecret(golden.sallyport_key)!
    secret[31]! ^= 1
    const other = await deriveKeys(secret)
    expect(other.check).not.toBe(keys.check)
    expect(await openTicket(other.ticket, cases[0]![1].ticket)).toMatchObject({ kind: 'invalid', why: 'ticket: seal' })
  })
})

test.each([
  ['31 bytes', base64url(new Uint8Array(31))],
  ['33 bytes', base64url(new Uint8Array(33))],
  ['padding', `${base64url(new Uint8Array(32))}=`],
  ['hex', '00'.repeat(32)],
  ['nothing', ''],
])('parseSecret refuses %s', (_what, text) => {
  expect(parseSecret(text)).toBeUndefined()
})

test('parseSecret reads a key with a line break after it, as files have one', () => {
  expect(parseSecret(`${golden.sallyport_key}\n`)).toEqual(parseSecret(golden.sallyport_key))
})

const { intent, ticket } = cases[0]![1]
const content = canonicalJson(intent)
const opened = async (text: string) => (await openTicket(keys.ticket, text)).kind
const sealedWith = async (domain: string, bytes = content) =>
  `${base64url(bytes)}.${base64url(await hmac(keys.ticket, concat(utf8(domain), bytes)))}`
const domain = 'sallyport ticket v1\0'

describe('openTicket', () => {
  test('refuses a ticket with any one character altered, dropped, doubled or inserted', async () => {
    expect(await opened(ticket)).toBe('value')
    for (let at = 0; at < ticket.length; at++) {
      const [before, here, after] = [ticket.slice(0, at), ticket.charAt(at), ticket.slice(at + 1)]
      const others = ['A', 'B', '_', '=', '.', '+', ' '].filter((other) => other !== here)
      const altered = others.map((other) => before + other + after)
      for (const text of [...altered, before + after, before + here + here + after, `${before} ${here}${after}`])
        expect(await opened(text), `at ${at}: ${text}`).toBe('invalid')
    }
  })

  test('refuses a ticket with any one bit of its bytes flipped', async () => {
    const [text = '', seal = ''] = ticket.split('.')
    const flipped = (part: string, bit: number) => {
      const bytes = fromBase64url(part)!
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      return base64url(bytes)
    }
    for (let bit = 0; bit < content.length * 8; bit++)
      expect(await opened(`${flipped(text, bit)}.${seal}`), `content bit ${bit}`).toBe('invalid')
    for (let bit = 0; bit < 256; bit++)
      expect(await opened(`${text}.${flipped(seal, bit)}`), `seal bit ${bit}`).toBe('invalid')
  })

  test('refuses every part of a ticket that is cut short', async () => {
    for (let length = 0; length < ticket.length; length++)
      expect(await opened(ticket.slice(0, length)), `${length} characters`).toBe('invalid')
  })

  test.each([
    ['nothing', ''],
    ['a dot', '.'],
    ['no content', `.${ticket.split('.')[1]}`],
    ['no seal', `${ticket.split('.')[0]}.`],
    ['no dot', ticket.replace('.', '')],
    ['a third part', `${ticket}.AAAA`],
    ['white space after', `${ticket}\n`],
    ['padding', `${ticket}=`],
  ])('refuses %s', async (_what, text) => {
    expect(await opened(text)).toBe('invalid')
  })

  test.each([
    ['no domain', ''],
    ['the domain of a challenge', 'sallyport intent v1\0'],
    ['the domain without its end', 'sallyport ticket v1'],
    ['a later version', 'sallyport ticket v2\0'],
  ])('refuses a seal with %s', async (_what, other) => {
    expect(await opened(await sealedWith(domain))).toBe('value')
    expect(await opened(await sealedWith(other))).toBe('invalid')
  })

  test('refuses the seal of the operator key', async () => {
    const seal = await hmac(keys.operator, concat(utf8(domain), content))
    expect(await opened(`${base64url(content)}.${base64url(seal)}`)).toBe('invalid')
  })

  test.each([
    ['a later version', { ...intent, v: 2 }],
    ['no version', { ...intent, v: undefined }],
    ['a version as text', { ...intent, v: '1' }],
  ])('refuses %s though it is sealed', async (_what, other) => {
    const text = await sealTicket(keys.ticket, other as unknown as Intent)
    expect(await openTicket(keys.ticket, text)).toEqual({ kind: 'invalid', why: 'ticket: version' })
  })

  test('reads a ticket of 8192 characters and refuses a longer one, whatever is in it', async () => {
    const ofLength = async (summary: number) =>
      sealTicket(keys.ticket, { ...intent, subject: { summary: 'x'.repeat(summary) } } as unknown as Intent)
    const overhead = (await ofLength(0)).length
    const fits = Math.floor(((8192 - overhead) * 3) / 4)
    expect(await opened(await ofLength(fits - 2))).toBe('value')
    const longer = await ofLength(fits + 3)
    expect(longer.length).toBeGreaterThan(8192)
    expect(await openTicket(keys.ticket, longer)).toEqual({ kind: 'invalid', why: 'ticket: too long' })
  })
})

describe('challengeOf', () => {
  test('is no other hash of the same intent', async () => {
    const challenge = base64url(await challengeOf(intent))
    const other = [utf8(''), utf8(domain), utf8('sallyport intent v1'), utf8('sallyport intent v2\0')]
    for (const prefix of other) expect(base64url(await sha256(concat(prefix, content)))).not.toBe(challenge)
    expect(base64url(await sha256(concat(content, utf8('sallyport intent v1\0'))))).not.toBe(challenge)
  })

  test('differs for every member that differs', async () => {
    const others = [
      { ...intent, cluster: 'access.example.org' },
      { ...intent, purpose: 'presence' },
      { ...intent, id: 'zT1OtIX9aV9H5WKvbGksEw' },
      { ...intent, user: 'AAAA' },
      { ...intent, holder: intent.id },
      { ...intent, subject: { a: 1 } },
      { ...intent, iat: intent.iat + 1 },
      { ...intent, exp: intent.exp + 1 },
      { ...intent, extra: null },
    ] as Intent[]
    const challenges = await Promise.all([intent, ...others].map(challengeOf))
    expect(new Set(challenges.map(base64url)).size).toBe(others.length + 1)
  })
})

/** RFC 8785 appendix B: the bits of a double, and how it is written. */
const numbers: readonly (readonly [bits: string, text: string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

describe('canonicalJson is RFC 8785', () => {
  test.each(numbers)('appendix B: %s is %s', (bits, text) => {
    expect(canonical(Buffer.from(bits, 'hex').readDoubleBE(0))).toBe(text)
  })

  test('section 3.2.4: the bytes of the example', () => {
    const example = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`) as Json
    const bytes =
      '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b33333333333333' +
      '33332e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac24' +
      '5c75303030665c6e4127425c225c5c5c5c5c222f227d'
    expect(Buffer.from(canonicalJson(example)).toString('hex')).toBe(bytes)
  })

  test('section 3.2.3: members stand in the order of their UTF-16 code units', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6']
    const object = Object.fromEntries(names.map((name) => [name, 0]))
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']
    expect(Object.keys(JSON.parse(canonical(object)) as object)).toEqual([
      '1',
      ...sorted.filter((name) => name !== '1'),
    ])
    expect(canonical(object)).toBe(`{${sorted.map((name) => `${JSON.stringify(name)}:0`).join(',')}}`)
  })

  test('a member that is undefined is no member, and a name that is a number sorts as text', () => {
    expect(canonical({ b: 1, a: undefined } as unknown as Json)).toBe('{"b":1}')
    expect(canonical({ 10: 0, 9: 0, '': 0 })).toBe('{"":0,"10":0,"9":0}')
  })

  test('a member named __proto__ is a member', () => {
    expect(canonical(JSON.parse('{"__proto__":{"a":1}}') as Json)).toBe('{"__proto__":{"a":1}}')
  })

  test.each<[string, unknown]>([
    ['a high surrogate alone', '\ud800'],
    ['a low surrogate alone', '\udc00'],
    ['a pair the wrong way round', '\udc00\ud800'],
    ['a lone surrogate in a name', { '\ud800': 1 }],
    ['a lone surrogate deep within', { a: [{ b: '\udfff' }] }],
    ['NaN', Number.NaN],
    ['Infinity', [Number.POSITIVE_INFINITY]],
    ['undefined', undefined],
  ])('throws on %s', (_what, json) => {
    expect(() => canonicalJson(json as Json)).toThrow()
  })
})
