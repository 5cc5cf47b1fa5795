/** Each format as it should be, and with one thing wrong at a time. */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { attestationObjectIn } from '../../../core/lib/attestation-object.ts'
import type { Cbor } from '../../../core/lib/cbor.ts'
import { cborMap } from '../cbor-writer.ts'
import { der, leafName, modelExtension, newKeys, rsaOf, versionOne } from '../certificates.ts'
import { bytes64, hashOf, text64 } from '../signer.ts'
import { type LibraryVector, libraryVectors } from '../vectors.ts'
import {
  type Attested,
  allApplications,
  alternativeName,
  android,
  apple,
  appleNonce,
  attestationPurpose,
  type Entries,
  edited,
  model,
  newPasskey,
  origins,
  type Passkey,
  packed,
  packedSelf,
  purposes,
  readOf,
  registrationOf,
  signedBy,
  tpm,
  u2f,
} from './attested.ts'

let passkey: Passkey
/** U2F knows no models. */
let plain: Passkey
beforeAll(async () => {
  passkey = await newPasskey()
  plain = await newPasskey({ aaguid: new Uint8Array(16) })
})

/** `good`, or why not. */
async function judge(format: Cbor, entries: Entries, of = passkey): Promise<string> {
  const read = await readOf(registrationOf(of, format, entries))
  return read.kind === 'value' ? 'good' : read.why.replace(/^statement: /, '')
}

type Make = () => Promise<Attested>
type Cases = readonly (readonly [
  what: string,
  why: string,
  make: Make,
  edits?: Readonly<Record<string, Cbor | undefined>>,
])[]

/** Statements of a format that are refused for one reason each, beside one that is taken. */
function refuses(format: string, good: Make, cases: Cases, of = () => passkey) {
  describe(format, () => {
    test('is read', async () => {
      const { entries } = await good()
      const read = await readOf(registrationOf(of(), format, entries))
      expect(read).toMatchObject({ kind: 'value', format })
      expect(read.kind === 'value' && read.chain).toHaveLength(1)
    })

    test.each(cases.map((one) => [one[0], one] as const))(
      'with %s is refused',
      async (_what, [, why, make, edits = {}]) => {
        const { entries } = await make()
        expect(await judge(format, edited(entries, edits), of())).toBe(why)
      },
    )

    test.each<[string, Cbor | undefined]>([
      ['no certificate', undefined],
      ['x5c', []],
      ['x5c', new Uint8Array(1)],
      ['certificate 0: no bytes', ['text']],
      ['certificate 0: no certificate', [new Uint8Array(40)]],
      ['more than 6 certificates', Array.from({ length: 7 }, () => new Uint8Array(1))],
    ])('%s', async (why, x5c) => {
      const { entries } = await good()
      const [expected] = format === 'packed' && x5c === undefined ? ['signature'] : [why]
      expect(await judge(format, edited(entries, { x5c }), of())).toBe(expected)
    })
  })
}

const wrongSignature = async (made: Promise<Attested>) => ({ sig: signedBy((await made).leaf, new Uint8Array(3)) })
const badly =
  (make: Make): Make =>
  async () => {
    const made = await make()
    return { ...made, entries: edited(made.entries, await wrongSignature(Promise.resolve(made))) }
  }
const noSha1 = { alg: -65_535 }

const named =
  (name: string): Make =>
  () =>
    packed(passkey, { name })
refuses('packed', () => packed(passkey), [
  ['another signature', 'signature', badly(() => packed(passkey))],
  ['no signature', 'signature', () => packed(passkey), { sig: undefined }],
  ['a signature that is text', 'signature', () => packed(passkey), { sig: 'text' }],
  ['no algorithm', 'algorithm', () => packed(passkey), { alg: undefined }],
  ['another algorithm', 'signature', () => packed(passkey), { alg: -257 }],
  ['SHA-1', 'algorithm', () => packed(passkey), noSha1],
  ['a country in small letters', 'leaf: country', named(leafName.replace('SE', 'se'))],
  ['no country', 'leaf: country', named(leafName.replace(', C=SE', ''))],
  ['two countries', 'leaf: country', named(`${leafName}, C=US`)],
  ['no organization', 'leaf: names', named(leafName.replace(', O=Tests', ''))],
  ['no common name', 'leaf: names', named(leafName.replace('CN=Batch 1, ', ''))],
  ['another unit', 'leaf: organizational unit', named(leafName.replace('Attestation', 'Attestations'))],
  [
    'another model',
    'leaf: AAGUID of another model',
    () => packed(passkey, { extensions: [modelExtension(new Uint8Array(16))] }),
  ],
  [
    'a model that is no DER',
    'leaf: AAGUID of another model',
    () => packed(passkey, { extensions: [modelExtension(new Uint8Array(200).fill(7))] }),
  ],
  [
    'a critical model',
    'leaf: AAGUID extension is critical',
    () => packed(passkey, { extensions: [modelExtension(model, true)] }),
  ],
])

test('packed without the model extension is read: its CA has one model', async () => {
  expect(await judge('packed', (await packed(passkey, { extensions: [] })).entries)).toBe('good')
})

test('packed by the passkey itself is read, and not with another signature or algorithm', async () => {
  const entries = packedSelf(passkey)
  const read = await readOf(registrationOf(passkey, 'packed', entries))
  expect(read).toEqual({ kind: 'value', format: 'packed', chain: [] })
  expect(await judge('packed', edited(entries, { alg: -257 }))).toBe('algorithm')
  expect(await judge('packed', edited(entries, { sig: signedBy(passkey, new Uint8Array(1)) }))).toBe('signature')
})

test('none is read when it is empty, and a format of another name never', async () => {
  expect(await readOf(registrationOf(passkey, 'none', []))).toEqual({ kind: 'value', format: 'none', chain: [] })
  expect(await judge('none', packedSelf(passkey))).toBe('none, with something in it')
  for (const format of ['android-safetynet', 'compound', 'constructor', ''])
    expect(await judge(format, [])).toBe('format')
})

const otherKey = async () => ({ keys: await newKeys() })
refuses(
  'fido-u2f',
  () => u2f(plain),
  [
    ['another signature', 'signature', badly(() => u2f(plain))],
    [
      'a second certificate',
      'more than one certificate',
      async () => {
        const made = await u2f(plain)
        return { ...made, entries: edited(made.entries, { x5c: [made.leaf.der, made.root.der] }) }
      },
    ],
    ['an RSA key', 'not P-256', async () => u2f(plain, { keys: await newKeys(rsaOf(2048)) })],
    [
      'a P-384 key',
      'not P-256',
      async () => u2f(plain, { keys: await newKeys({ name: 'ECDSA', namedCurve: 'P-384' }) }),
    ],
  ],
  () => plain,
)

test('fido-u2f with an AAGUID is refused: it is not signed there', async () => {
  expect(await judge('fido-u2f', (await u2f(passkey)).entries)).toBe('AAGUID')
})

refuses('apple', () => apple(passkey), [
  ['the nonce of another ceremony', 'leaf: nonce', () => apple(passkey, {}, hashOf('another'))],
  [
    'more than a nonce',
    'leaf: nonce',
    () => apple(passkey, { extensions: [appleNonce(hashOf(passkey.signed), der(5))] }),
  ],
  ['no nonce', 'leaf: nonce', () => apple(passkey, { extensions: [] })],
  ['a certificate of another key', 'leaf: another key', async () => apple(passkey, await otherKey())],
])

refuses('android-key', () => android(passkey), [
  ['another signature', 'signature', badly(() => android(passkey))],
  ['a certificate of another key', 'leaf: another key', async () => android(passkey, await otherKey())],
  ['no description', 'leaf: challenge', () => android(passkey, { extensions: [] })],
  [
    'the challenge of another ceremony',
    'leaf: challenge',
    () => android(passkey, {}, { challenge: hashOf('another') }),
  ],
  [
    'a key of all applications',
    'leaf: a key of all applications',
    () => android(passkey, {}, { trusted: [purposes(2), allApplications, origins(0)] }),
  ],
  [
    'one that the software says is',
    'leaf: a key of all applications',
    () => android(passkey, {}, { software: [allApplications] }),
  ],
  ['a key that was imported', 'leaf: origin', () => android(passkey, {}, { trusted: [purposes(2), origins(2)] })],
  [
    'a key in software',
    'leaf: origin',
    () => android(passkey, {}, { trusted: [], software: [purposes(2), origins(0)] }),
  ],
  [
    'a key that encrypts as well',
    'leaf: purpose',
    () => android(passkey, {}, { trusted: [purposes(2, 0), origins(0)] }),
  ],
  ['a key that only verifies', 'leaf: purpose', () => android(passkey, {}, { trusted: [purposes(3), origins(0)] })],
  ['no purpose', 'leaf: purpose', () => android(passkey, {}, { trusted: [origins(0)] })],
  ['a list that is no DER', 'leaf: key description', () => android(passkey, {}, { trusted: [new Uint8Array([2, 9])] })],
  ['SHA-1', 'algorithm', () => android(passkey), noSha1],
])

const point = (): [Uint8Array, Uint8Array] => [...passkey.point]
const swapped = () => point().reverse() as [Uint8Array, Uint8Array]
refuses('tpm', () => tpm(passkey), [
  ['another signature', 'signature', badly(() => tpm(passkey))],
  ['another version', 'version', () => tpm(passkey), { ver: '1.2' }],
  ['no public area', 'structures', () => tpm(passkey), { pubArea: undefined }],
  ['nothing certified', 'structures', () => tpm(passkey), { certInfo: 'text' }],
  ['no algorithm', 'algorithm', () => tpm(passkey), { alg: undefined }],
  ['another key', 'public area: another key', () => tpm(passkey, {}, { point: swapped() })],
  [
    'a coordinate that is too long',
    'public area: another key',
    () => tpm(passkey, {}, { point: [new Uint8Array(33), passkey.point[1]] }),
  ],
  ['another curve', 'public area', () => tpm(passkey, {}, { curve: '0004' })],
  ['bytes after it', 'public area', () => tpm(passkey, {}, { rest: '00' })],
  ['an empty public area', 'public area', () => tpm(passkey), { pubArea: new Uint8Array(0) }],
  [
    'a key that may be moved',
    'public area: a key that can leave the TPM',
    () => tpm(passkey, {}, { attributes: '00040070' }),
  ],
  [
    'a key with another parent',
    'public area: a key that can leave the TPM',
    () => tpm(passkey, {}, { attributes: '00040062' }),
  ],
  [
    'a key from elsewhere',
    'public area: a key that can leave the TPM',
    () => tpm(passkey, {}, { attributes: '00040052' }),
  ],
  ['what no TPM made', 'certified: not by a TPM', () => tpm(passkey, {}, { magic: 'ff544346' })],
  ['a quote', 'certified: not by a TPM', () => tpm(passkey, {}, { type: '8018' })],
  [
    'the data of another ceremony',
    'certified: another ceremony',
    () => tpm(passkey, {}, { extraData: hashOf('another') }),
  ],
  [
    'another name',
    'certified: another name',
    () => tpm(passkey, {}, { name: new Uint8Array([0, 11, ...hashOf('another')]) }),
  ],
  [
    'nothing certified whole',
    'certified',
    () => tpm(passkey),
    { certInfo: new Uint8Array(Buffer.from('ff5443478017', 'hex')) },
  ],
  [
    'bytes after what is certified',
    'certified',
    async () => {
      const made = await tpm(passkey)
      const certified = new Map(made.entries).get('certInfo') as Uint8Array
      return { ...made, entries: edited(made.entries, { certInfo: new Uint8Array([...certified, 0]) }) }
    },
  ],
  ['a subject', 'leaf: subject', () => tpm(passkey, { name: 'CN=TPM' })],
  ['no alternative name', 'leaf: alternative name', () => tpm(passkey, { extensions: [attestationPurpose] })],
  [
    'one that says too little',
    'leaf: alternative name',
    () => tpm(passkey, { extensions: [alternativeName([]), attestationPurpose] }),
  ],
  ['no key purpose', 'leaf: key purpose', () => tpm(passkey, { extensions: [alternativeName()] })],
  [
    'another model',
    'leaf: AAGUID of another model',
    () => tpm(passkey, { extensions: [alternativeName(), attestationPurpose, modelExtension(new Uint8Array(16))] }),
  ],
])

test('tpm with RS1 is read, and with an ECDSA key it is not', async () => {
  const keys = await newKeys(rsaOf(2048, 'SHA-1'))
  const sha1 = new Uint8Array(await crypto.subtle.digest('SHA-1', passkey.signed))
  const made = await tpm(passkey, { keys }, { extraData: sha1 })
  const certified = new Map(made.entries).get('certInfo') as Uint8Array
  const old = { alg: -65_535, sig: signedBy(made.leaf, certified, 'sha1') }
  expect(await judge('tpm', edited(made.entries, old))).toBe('good')
  expect(await judge('tpm', edited(made.entries, { ...old, sig: signedBy(made.leaf, certified) }))).toBe('signature')
  const ec = await tpm(passkey, {}, { extraData: sha1 })
  expect(await judge('tpm', edited(ec.entries, { alg: -65_535 }))).toBe('signature')
})

test('tpm with an RSA key is read with the one exponent, spelt as 0 or whole, and no other', async () => {
  const { attestationObject, clientDataJSON } = libraryVectors()[9] as LibraryVector
  const object = attestationObjectIn(text64(bytes64(attestationObject)))!
  // TPMT_PUBLIC: type, name's hash, attributes, a policy of 32 bytes, two times none, size of the key; then the exponent.
  const exponentAt = 2 + 2 + 4 + 34 + 2 + 2 + 2
  const withExponent = async (exponent: number) => {
    const publicArea = (object.statement.get('pubArea') as Uint8Array<ArrayBuffer>).slice()
    new DataView(publicArea.buffer).setUint32(exponentAt, exponent)
    const changed = cborMap([
      ['fmt', 'tpm'],
      ['attStmt', new Map([...object.statement, ['pubArea', publicArea]])],
      ['authData', object.authenticatorData],
    ])
    const read = await readOf({ id: '', response: { clientDataJSON, attestationObject: text64(changed) } })
    return read.kind === 'value' ? 'good' : read.why
  }
  expect(await withExponent(0)).toBe('good')
  // The key is the same, and its name, which is a hash of all of it, another.
  expect(await withExponent(65_537)).toBe('statement: certified: another name')
  expect(await withExponent(3)).toBe('statement: public area')
})

test('packed and tpm want a leaf of version 3, U2F takes an older one', async () => {
  for (const [format, made] of [
    ['packed', await packed(passkey)],
    ['tpm', await tpm(passkey)],
  ] as const)
    expect(await judge(format, edited(made.entries, { x5c: [versionOne(made.leaf, made.root)] }))).toBe('leaf: version')
  const made = await u2f(plain)
  expect(await judge('fido-u2f', edited(made.entries, { x5c: [versionOne(made.leaf, made.root)] }), plain)).toBe('good')
})

test('no statement makes readStatement throw', async () => {
  const bases: readonly (readonly [string, Attested])[] = [
    ['packed', await packed(passkey)],
    ['tpm', await tpm(passkey)],
    ['android-key', await android(passkey)],
    ['apple', await apple(passkey)],
  ]
  const objects = bases.map(([format, { entries }]) =>
    bytes64(registrationOf(passkey, format, entries).response.attestationObject),
  )
  const change = fc.record({
    base: fc.nat(3),
    at: fc.nat(4000),
    byte: fc.nat(255),
    cut: fc.constantFrom(0, 0, 0, 1, 9),
  })
  const { response } = registrationOf(passkey, 'none', [])
  let good = 0
  await fc.assert(
    fc.asyncProperty(change, async ({ base, at, byte, cut }) => {
      const bytes = objects[base]!.slice()
      bytes[at % bytes.length] = byte
      const attestationObject = text64(bytes.slice(0, bytes.length - cut))
      const read = await readOf({ id: '', response: { ...response, attestationObject } })
      good += read.kind === 'value' ? 1 : 0
    }),
    { seed: 12, numRuns: 1500 },
  )
  expect(good).toBeGreaterThan(5)
  expect(good).toBeLessThan(700)
})
