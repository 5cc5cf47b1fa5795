import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAuthenticatorData } from '../../../core/lib/authenticator-data.ts'
import { flag } from '../../authenticator.ts'
import { encodeCbor, rawCbor } from '../cbor-writer.ts'
import { w3cVectors } from '../vectors.ts'

const { UP, UV, BE, BS, AT, ED } = flag
const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
const rpIdHash = new Uint8Array(32).fill(7)
const aaguid = new Uint8Array(16).fill(3)
const key = encodeCbor(new Map([[1, 2]]))
const extensions = encodeCbor(new Map([['credProtect', 2]]))

const head = (flags: number, counter = 0) => {
  const bytes = Buffer.alloc(5)
  bytes[0] = flags
  bytes.writeUInt32BE(counter, 1)
  return join(rpIdHash, bytes)
}
const attested = (id: Uint8Array, announced = id.length) =>
  join(aaguid, new Uint8Array([announced >> 8, announced & 255]), id, key)
const id = (length: number) => new Uint8Array(length).fill(1)

describe('parseAuthenticatorData', () => {
  test('reads each flag from its own bit', () => {
    const read = (flags: number) => parseAuthenticatorData(head(flags))
    const none = { userPresent: false, userVerified: false, backupEligible: false, backedUp: false }
    expect(read(0)).toMatchObject({ kind: 'value', value: { ...none, rpIdHash, counter: 0 }, used: 37 })
    expect(read(UP)).toMatchObject({ value: { ...none, userPresent: true } })
    expect(read(UV)).toMatchObject({ value: { ...none, userVerified: true } })
    expect(read(BE)).toMatchObject({ value: { ...none, backupEligible: true } })
    expect(read(BE | BS)).toMatchObject({ value: { ...none, backupEligible: true, backedUp: true } })
    expect(read(0x02 | 0x20)).toMatchObject({ value: none })
  })

  test.each([0, 1, 0x7fffffff, 0x80000000, 0xffffffff])('reads the counter %d, big endian and unsigned', (counter) => {
    expect(parseAuthenticatorData(head(UP, counter))).toMatchObject({ value: { counter } })
  })

  test('reads a view by its own bounds', () => {
    const within = join(new Uint8Array(5), head(UP, 77), new Uint8Array(5))
    expect(parseAuthenticatorData(within.subarray(5, 42))).toMatchObject({ value: { counter: 77, rpIdHash } })
  })

  test.each([1, 16, 255, 256, 1023])('reads a credential with an id of %d bytes', (length) => {
    const bytes = join(head(UP | AT), attested(id(length)))
    expect(parseAuthenticatorData(bytes)).toMatchObject({
      kind: 'value',
      used: bytes.length,
      value: { attested: { aaguid, credentialId: id(length), publicKey: key } },
    })
  })

  test('reads a credential and extensions', () => {
    const bytes = join(head(UP | AT | ED), attested(id(4)), extensions)
    expect(parseAuthenticatorData(bytes)).toMatchObject({ kind: 'value', value: { attested: { publicKey: key } } })
    expect(parseAuthenticatorData(join(head(UP | ED), extensions)).kind).toBe('value')
  })

  test.each([
    ['nothing', new Uint8Array(0)],
    ['36 bytes', head(UP).subarray(0, 36)],
    ['a byte left over', join(head(UP), new Uint8Array(1))],
    ['backed up but not eligible', head(UP | BS)],
    ['AT without a credential', head(UP | AT)],
    ['a credential without AT', join(head(UP), attested(id(4)))],
    ['an id of no bytes', join(head(UP | AT), attested(id(0)))],
    ['an id of 1024 bytes', join(head(UP | AT), attested(id(1024)))],
    ['an id that says it is longer than what follows', join(head(UP | AT), attested(id(4), 200))],
    ['an id that says it is shorter', join(head(UP | AT), attested(id(4), 3))],
    ['a cut public key', join(head(UP | AT), attested(id(4)).subarray(0, -1))],
    ['ED without extensions', head(UP | ED)],
    ['extensions without ED', join(head(UP), extensions)],
    ['extensions that are no map', join(head(UP | ED), encodeCbor(1))],
    ['cut extensions', join(head(UP | ED), extensions.subarray(0, -1))],
    ['a byte after the extensions', join(head(UP | ED), extensions, new Uint8Array(1))],
    ['extensions with a key twice', join(head(UP | ED), new Uint8Array([0xa2, 1, 0, 1, 0]))],
  ])('refuses %s', (_what, bytes) => {
    expect(parseAuthenticatorData(bytes).kind).not.toBe('value')
  })

  test('reads the data of every W3C authentication, and no truncation of it', () => {
    for (const { authentication } of w3cVectors().vectors) {
      const bytes = new Uint8Array(Buffer.from(authentication.authenticatorData, 'hex'))
      expect(parseAuthenticatorData(bytes)).toMatchObject({ kind: 'value', used: bytes.length })
      for (let length = 0; length < bytes.length; length++)
        expect(parseAuthenticatorData(bytes.subarray(0, length)).kind).toBe('invalid')
    }
  })

  test('arbitrary bytes after the flags never throw, and nothing is left unread', () => {
    fc.assert(
      fc.property(fc.nat(255), rawCbor, rawCbor, (flags, some, more) => {
        const bytes = join(head(flags), aaguid, new Uint8Array([0, some.length]), some, more)
        const parsed = parseAuthenticatorData(bytes)
        if (parsed.kind === 'value') expect(parsed.used).toBe(bytes.length)
      }),
      { seed: 7, numRuns: 3000 },
    )
  })
})
