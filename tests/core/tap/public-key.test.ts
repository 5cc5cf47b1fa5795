import { describe, expect, test } from 'vitest'
import { type Signatures, webSignatures } from '../../../core/lib/jws.ts'
import { algorithms, fingerprintOf, fromDer, importPublicKey, signatureIsRight } from '../../../core/tap/public-key.ts'
import { nodeSignatures } from '../../../worker/node-signatures.ts'
import { cborMap, encodeCbor } from '../cbor-writer.ts'
import { hashOf, join, signers, text64 } from '../signer.ts'

/** Edges check with either. */
const engines: [name: string, engine: Signatures][] = [
  ['Web Cryptography', webSignatures],
  ['node:crypto', nodeSignatures],
]

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const raw = (r: string, s: string) => hex(r.padStart(64, '0') + s.padStart(64, '0'))
const ff = (count: number) => 'ff'.repeat(count)

describe('fromDer', () => {
  test.each<[string, string, Uint8Array]>([
    ['the smallest numbers', '3006 0201 01 0201 02', raw('01', '02')],
    ['zeroes, which no verifier takes', '3006 0201 00 0201 00', raw('00', '00')],
    ['a sign byte', '3008 0202 0080 0202 00ff', raw('80', 'ff')],
    ['31 bytes', `3042 021f 7f${ff(30)} 021f 01${ff(30)}`, raw(`7f${ff(30)}`, `01${ff(30)}`)],
    ['32 bytes', `3044 0220 7f${ff(31)} 0220 01${ff(31)}`, raw(`7f${ff(31)}`, `01${ff(31)}`)],
    ['33 bytes, the most', `3046 0221 00${ff(32)} 0221 00${ff(32)}`, raw(ff(32), ff(32))],
  ])('reads %s', (_what, der, expected) => {
    const length = hex(der).length - 2
    const bytes = hex(der)
    bytes[1] = length
    expect(fromDer(bytes)).toEqual(expected)
  })

  test.each([
    ['nothing', ''],
    ['a head alone', '30'],
    ['an empty sequence', '3000'],
    ['one number', '3003 0201 01'],
    ['three numbers', '3009 0201 01 0201 01 0201 01'],
    ['a negative number', '3006 0201 80 0201 01'],
    ['a zero too many', '3007 0202 0001 0201 01'],
    ['a zero too many before a sign byte', '3009 0203 000080 0202 0080'],
    ['an empty number', '3005 0200 0201 01'],
    ['a number that ends beyond the end', '3006 0201 01 0202 01'],
    ['a number of 33 bytes', `3026 0221 01${ff(32)} 0201 01`],
    ['a number of 34 bytes', `3027 0222 00${ff(33)} 0201 01`],
    ['a bit string', '3006 0301 01 0201 01'],
    ['a set', '3106 0201 01 0201 01'],
    ['a length of the long form', '308106 0201 01 0201 01'],
    ['a length of indefinite form', '3080 0201 01 0201 01 0000'],
    ['a byte after it', '3006 0201 01 0201 01 00'],
    ['a byte after it, counted in', '3007 0201 01 0201 01 00'],
    ['a length of a number in the long form', '3007 028101 01 0201 01'],
  ])('refuses %s', (_what, der) => {
    expect(fromDer(hex(der))).toBeUndefined()
  })
})

describe.each(engines)('importPublicKey by %s', (_engine, signatures) => {
  test.each(signers.map((signer, i) => [signer.name, signer, algorithms[i]] as const))(
    'reads a key for %s, and names it by the hash of its COSE_Key',
    async (_name, { cose, sign }, algorithm) => {
      const key = await importPublicKey(cose, signatures)
      expect(key).toMatchObject({ algorithm, cose, fingerprint: text64(hashOf(cose)) })
      expect(await fingerprintOf(cose)).toBe(text64(hashOf(cose)))
      const data = hashOf('data')
      expect(await signatureIsRight(key!, sign(data), data)).toBe(true)
      expect(await signatureIsRight(key!, sign(data), hashOf('other data'))).toBe(false)
      expect(await signatureIsRight(key!, new Uint8Array(0), data)).toBe(false)
    },
  )

  test('takes no byte of y for one of x: the same point cut elsewhere would be another name for it', async () => {
    const { cose } = signers[0]!
    const point = join(cose.slice(10, 42), cose.slice(45))
    const cut = (at: number) =>
      cborMap([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, point.slice(0, at)],
        [-3, point.slice(at)],
      ])
    expect(await importPublicKey(cut(32), signatures)).toBeDefined()
    for (const at of [1, 31, 33, 63]) expect(await importPublicKey(cut(at), signatures), `cut at ${at}`).toBeUndefined()
  })
})

const rsa = (n: Uint8Array, e = [1, 0, 1]) =>
  cborMap([
    [1, 3],
    [3, -257],
    [-1, join(n)],
    [-2, new Uint8Array(e)],
  ])
/** An odd number with its highest bit set. */
const modulus = (bytes: number) => new Uint8Array(bytes).fill(0xff)

describe.each(engines)('importPublicKey by %s, of RSA keys and of what is no key,', (_engine, signatures) => {
  test.each([256, 384, 512])('reads a modulus of %d bytes', async (length) => {
    expect(await importPublicKey(rsa(modulus(length)), signatures)).toMatchObject({ algorithm: -257 })
  })

  test.each<[string, Uint8Array<ArrayBuffer>]>([
    ['a modulus of 1024 bits', rsa(modulus(128))],
    ['a modulus of 2040 bits', rsa(modulus(255))],
    ['a modulus of 4104 bits', rsa(modulus(513))],
    ['a modulus of 2047 bits', rsa(join(new Uint8Array([0x7f]), modulus(255)))],
    ['a modulus with a zero before it', rsa(join(new Uint8Array(1), modulus(256)))],
    ['the exponent 3', rsa(modulus(256), [3])],
    ['the exponent 1', rsa(modulus(256), [1])],
    ['the exponent 65537 with a zero before it', rsa(modulus(256), [0, 1, 0, 1])],
    ['the exponent 65539', rsa(modulus(256), [1, 0, 3])],
    ['no exponent', rsa(modulus(256), [])],
    ['no map', encodeCbor([1, 2])],
    ['an algorithm as text', cborMap([[3, 'ES256']])],
    [
      'the point at infinity',
      cborMap([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, new Uint8Array(32)],
        [-3, new Uint8Array(32)],
      ]),
    ],
    [
      'ES256 without y',
      cborMap([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, new Uint8Array(32)],
      ]),
    ],
    [
      'ES256 with y as a sign',
      cborMap([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, new Uint8Array(32)],
        [-3, true],
      ]),
    ],
    [
      'Ed25519 of 31 bytes',
      cborMap([
        [1, 1],
        [3, -8],
        [-1, 6],
        [-2, new Uint8Array(31)],
      ]),
    ],
    [
      'Ed448',
      cborMap([
        [1, 1],
        [3, -8],
        [-1, 7],
        [-2, new Uint8Array(57)],
      ]),
    ],
    [
      'X25519',
      cborMap([
        [1, 1],
        [3, -8],
        [-1, 4],
        [-2, new Uint8Array(32)],
      ]),
    ],
  ])('answers undefined for %s', async (_what, cose) => {
    expect(await importPublicKey(cose, signatures)).toBeUndefined()
  })
})
