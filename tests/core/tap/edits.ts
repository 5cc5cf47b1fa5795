/**
 * What a hostile page, key or network could make of an assertion, by name. An edit of what is signed is made before the
 * signature, so that nothing but a rule about that very thing can refuse it.
 */
import { flag } from '../../authenticator.ts'
import { cborHead, cborMap, encodeCbor } from '../cbor-writer.ts'
import { authenticatorDataOf, join } from '../signer.ts'

type Bytes = Uint8Array<ArrayBuffer>
type Entries = (readonly [number | string, Parameters<typeof encodeCbor>[0]])[]
const { UP, UV, AT, ED } = flag
const hex = (text: string): Bytes => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

export const rpId = 'example.org'
export const origin = 'https://example.org'

/** JSON texts out of the plain client data. */
export const clientDataEdits = (challenge: string): Readonly<Record<string, string | Uint8Array>> => {
  const plain = { type: 'webauthn.get', challenge, origin, crossOrigin: false }
  const json = JSON.stringify(plain)
  const withMembers = (members: object) => JSON.stringify({ ...plain, ...members })
  const after = (text: string) => json.replace(/}$/, `,${text}}`)
  return {
    plain: json,
    'no crossOrigin': JSON.stringify({ ...plain, crossOrigin: undefined }),
    'members in another order': JSON.stringify(Object.fromEntries(Object.entries(plain).reverse())),
    'white space': `\n\t ${JSON.stringify(plain, null, 2)} `,
    escapes: json.replace('https', '\\u0068\\u0074tps').replace('"type"', '"\\u0074ype"'),
    'an unknown member': withMembers({ extra: 'data', deep: [[{}]] }),
    'a member named __proto__': after('"__proto__":{"origin":"https://evil.example"}'),
    'the type after another one': json.replace('{', '{"type":"webauthn.create",'),
    'the type before another one': after('"type":"webauthn.create"'),
    'crossOrigin true': withMembers({ crossOrigin: true }),
    'crossOrigin true, before false': json.replace('{', '{"crossOrigin":true,'),
    'crossOrigin null': withMembers({ crossOrigin: null }),
    'crossOrigin 0': withMembers({ crossOrigin: 0 }),
    'crossOrigin ""': withMembers({ crossOrigin: '' }),
    'crossOrigin "false"': withMembers({ crossOrigin: 'false' }),
    'topOrigin, another': withMembers({ topOrigin: 'https://top.example' }),
    'topOrigin, another, across origins': withMembers({ crossOrigin: true, topOrigin: 'https://top.example' }),
    'topOrigin ""': withMembers({ topOrigin: '' }),
    'topOrigin null': withMembers({ topOrigin: null }),
    'tokenBinding of Level 1': withMembers({ tokenBinding: { status: 'supported' } }),
    'tokenBinding with an unknown status': withMembers({ tokenBinding: { status: 'other' } }),
    'tokenBinding as text': withMembers({ tokenBinding: 'other' }),
    'another type': withMembers({ type: 'webauthn.create' }),
    'a payment': withMembers({ type: 'payment.get' }),
    'another origin': withMembers({ origin: 'https://evil.example' }),
    'an origin below': withMembers({ origin: 'https://a.example.org' }),
    'an origin with a slash': withMembers({ origin: `${origin}/` }),
    'another challenge': withMembers({ challenge: `${challenge.slice(0, -2)}AA` }),
    'a padded challenge': withMembers({ challenge: `${challenge}=` }),
    'a byte order mark': `\ufeff${json}`,
    'bytes that are not UTF-8 in an unknown member': Buffer.from(after('"x":"\xff"'), 'latin1'),
    'bytes that are not UTF-8 in the origin': Buffer.from(json.replace('example', 'ex\xe4mple'), 'latin1'),
    'NUL after it': `${json}\0`,
    'a comment': `/**/${json}`,
    'a comma too many': json.replace(/}$/, ',}'),
    'a list': `[${json}]`,
    null: 'null',
    nothing: '',
  }
}

const credential = join(new Uint8Array(16), hex('0001 09'), hex('a1 01 02'))
const plainFlags = UP | UV
const withExtensions = (...rest: Bytes[]) => authenticatorDataOf(rpId, plainFlags | ED, 1, ...rest)

export const authenticatorDataEdits: Readonly<Record<string, Bytes>> = {
  plain: authenticatorDataOf(rpId, plainFlags),
  'counter 0': authenticatorDataOf(rpId, plainFlags, 0),
  'counter 2^31': authenticatorDataOf(rpId, plainFlags, 0x80000000),
  'counter 2^32-1': authenticatorDataOf(rpId, plainFlags, 0xffffffff),
  'another relying party': authenticatorDataOf('example.com', plainFlags),
  'no flags': authenticatorDataOf(rpId, 0),
  '36 bytes': authenticatorDataOf(rpId, plainFlags).slice(0, 36),
  '38 bytes': authenticatorDataOf(rpId, plainFlags, 1, new Uint8Array(1)),
  nothing: new Uint8Array(0),
  'a credential': authenticatorDataOf(rpId, plainFlags | AT, 1, credential),
  'a credential and no AT': authenticatorDataOf(rpId, plainFlags, 1, credential),
  'AT and no credential': authenticatorDataOf(rpId, plainFlags | AT),
  'extensions, empty': withExtensions(hex('a0')),
  'extensions, credProtect': withExtensions(encodeCbor(new Map([['credProtect', 2]]))),
  'extensions, true and bytes': withExtensions(hex('a2 61 61 f5 61 62 43 010203')),
  'extensions, an array in them': withExtensions(hex('a1 61 61 82 01 20')),
  'extensions, null': withExtensions(hex('a1 61 61 f6')),
  'extensions, a map in a map': withExtensions(hex('a1 61 61 a1 61 62 a0')),
  'extensions, a number as name': withExtensions(hex('a1 01 02')),
  'extensions, a float': withExtensions(hex('a1 61 61 fb 3ff199999999999a')),
  'extensions, undefined': withExtensions(hex('a1 61 61 f7')),
  'extensions, a tag': withExtensions(hex('a1 61 61 c1 01')),
  'extensions, a name twice': withExtensions(hex('a2 61 61 01 61 61 02')),
  'extensions, a long number': withExtensions(hex('a1 61 61 18 01')),
  'extensions, 64 bits': withExtensions(hex('a1 61 61 1b 0000000000000001')),
  'extensions, of indefinite length': withExtensions(hex('bf 61 61 01 ff')),
  'extensions, text that is not UTF-8': withExtensions(hex('a1 61 61 61 ff')),
  'extensions, bytes cut short': withExtensions(hex('a1 61 61 44 01')),
  'extensions, an array alone': withExtensions(hex('80')),
  'extensions, a number alone': withExtensions(hex('01')),
  'extensions, text alone': withExtensions(hex('60')),
  'extensions, and a byte more': withExtensions(hex('a0 00')),
  'extensions, twice': withExtensions(hex('a0 a0')),
  'extensions, 9 deep': withExtensions(hex(`${'a1 01 '.repeat(9)}a0`)),
  'ED and no extensions': withExtensions(),
}

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const bigOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)
const bytes32 = (number: bigint) => hex(number.toString(16).padStart(64, '0'))

/** A DER INTEGER with these very bytes as its content. */
const integer = (content: Uint8Array) => join(new Uint8Array([2, content.length]), content)
const minimal = (magnitude: Uint8Array): Bytes => {
  const from = magnitude.findIndex((byte) => byte !== 0)
  const short = magnitude.slice(from < 0 ? magnitude.length - 1 : from)
  return (short[0] ?? 0) & 0x80 ? join(new Uint8Array(1), short) : join(short)
}
const sequence = (...content: Uint8Array[]) => {
  const whole = join(...content)
  return join(new Uint8Array([0x30, whole.length]), whole)
}

/** Other ways to write an Ecdsa-Sig-Value, right ones and wrong ones. */
export function derEdits(der: Uint8Array): Readonly<Record<string, Bytes>> {
  const rLength = der[3] ?? 0
  const [r, s] = [bigOf(der.slice(4, 4 + rLength)), bigOf(der.slice(6 + rLength))]
  const [rBytes, sBytes] = [minimal(bytes32(r)), minimal(bytes32(s))]
  const plain = sequence(integer(rBytes), integer(sBytes))
  const body = plain.slice(2)
  const pair = (one: bigint, two: bigint) => sequence(integer(minimal(bytes32(one))), integer(minimal(bytes32(two))))
  const zero = new Uint8Array(1)
  return {
    plain,
    'n - s for s': pair(r, order - s),
    's for r': pair(s, r),
    'r = 0': pair(0n, s),
    's = 0': pair(r, 0n),
    'r = n': pair(order, s),
    's = n': pair(r, order),
    'r + n, beyond 32 bytes': sequence(integer(hex((r + order).toString(16).padStart(66, '0'))), integer(sBytes)),
    'r with a zero too many': sequence(integer(join(zero, rBytes)), integer(sBytes)),
    's with a zero too many': sequence(integer(rBytes), integer(join(zero, sBytes))),
    'r of 33 bytes that begin with 1': sequence(integer(join(new Uint8Array([1]), bytes32(r))), integer(sBytes)),
    'r without its sign byte': sequence(integer(join(new Uint8Array([0x80]), bytes32(r).slice(1))), integer(sBytes)),
    'r empty': sequence(integer(new Uint8Array(0)), integer(sBytes)),
    's empty': sequence(integer(rBytes), integer(new Uint8Array(0))),
    'no s': sequence(integer(rBytes)),
    'a third number': sequence(integer(rBytes), integer(sBytes), integer(zero)),
    'a byte after it': join(plain, zero),
    'a byte before it': join(zero, plain),
    'a length in the long form': join(new Uint8Array([0x30, 0x81, body.length]), body),
    'a length of indefinite form': join(new Uint8Array([0x30, 0x80]), body, new Uint8Array(2)),
    'a length one too short': join(new Uint8Array([0x30, body.length - 1]), body),
    'a length one too long': join(new Uint8Array([0x30, body.length + 1]), body),
    'a number’s length in the long form': sequence(
      join(new Uint8Array([2, 0x81, rBytes.length]), rBytes),
      integer(sBytes),
    ),
    'a SET': join(new Uint8Array([0x31]), plain.slice(1)),
    'octet strings': sequence(join(new Uint8Array([4, rBytes.length]), rBytes), integer(sBytes)),
    'the last byte missing': plain.slice(0, -1),
    'the raw 64 bytes': join(bytes32(r), bytes32(s)),
    nothing: new Uint8Array(0),
  }
}

/** Other ways to write a COSE_Key; `entries` are those of the plain one. */
export function coseEdits(plain: Uint8Array, entries: Entries): Readonly<Record<string, Bytes>> {
  const without = (label: number) => entries.filter(([key]) => key !== label)
  const replaced = (label: number, value: Entries[number][1]) =>
    cborMap(entries.map(([key, old]) => [key, key === label ? value : old]))
  const body = plain.slice(1)
  const [lastLabel, last] = entries.at(-1) as [number, Bytes]
  return {
    plain: join(plain),
    'members in another order': cborMap([...entries].reverse()),
    'an unknown member': cborMap([...entries, [2, new Uint8Array([1])]]),
    'an unknown member by name': cborMap([...entries, ['x', 'y']]),
    'a member twice': cborMap([...entries, entries[1] as Entries[number]]),
    'alg twice, another first': cborMap([[3, -35], ...entries]),
    'of indefinite length': join(new Uint8Array([0xbf]), body, new Uint8Array([0xff])),
    'a long head': join(cborHead(5, entries.length, 1), body),
    'a head of 64 bits': join(cborHead(5, entries.length, 8), body),
    'a tag': join(new Uint8Array([0xd8, 0x64]), plain),
    'a byte after it': join(plain, new Uint8Array(1)),
    'the last byte missing': plain.slice(0, -1) as Bytes,
    'no kty': cborMap(without(1)),
    'no alg': cborMap(without(3)),
    'no crv': cborMap(without(-1)),
    'no x': cborMap(without(-2)),
    'another kty': replaced(1, 9),
    'kty by name': replaced(1, 'EC2'),
    'alg ES384': replaced(3, -35),
    'alg PS256': replaced(3, -37),
    'alg RS1': replaced(3, -65535),
    'another crv': replaced(-1, 2),
    'the last coordinate as text': replaced(lastLabel, 'text'),
    'the last coordinate cut': replaced(lastLabel, last.slice(1)),
    'the last coordinate with a zero before it': replaced(lastLabel, join(new Uint8Array(1), last)),
    'the last coordinate with another bit': replaced(lastLabel, flipped(last)),
    'all zeroes': replaced(-2, new Uint8Array(32)),
    'an empty map': cborMap([]),
    nothing: new Uint8Array(0),
  }
}

function flipped(bytes: Uint8Array): Bytes {
  const other = join(bytes)
  other[other.length - 1]! ^= 1
  return other
}
