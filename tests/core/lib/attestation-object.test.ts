import { expect, test } from 'vitest'
import { attestationObjectIn, publicKeyIn } from '../../../core/lib/attestation-object.ts'
import { flag, newAuthenticator } from '../../authenticator.ts'
import { cborMap, encodeCbor } from '../cbor-writer.ts'
import { w3cVectors } from '../vectors.ts'

const options = { challenge: 'AAAA', rp: { id: 'example.org' }, user: { id: 'AAAA' } }
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
const authData = new Uint8Array(37)
const object = (entries: Parameters<typeof cborMap>[0]) => text(cborMap(entries))
const whole = [
  ['fmt', 'none'],
  ['attStmt', new Map()],
  ['authData', authData],
] as const

test.each([-7, -8, -257] as const)('publicKeyIn finds the COSE_Key of an authenticator with %d', async (alg) => {
  const authenticator = await newAuthenticator({ origin: 'https://example.org', rpId: 'example.org', alg })
  for (const attestation of ['none', 'packed'] as const) {
    const { response } = await authenticator.create(options, { attestation })
    expect(publicKeyIn(response.attestationObject)).toEqual(authenticator.cosePublicKey)
  }
})

test('publicKeyIn finds a key in every W3C registration', () => {
  for (const { id, registration } of w3cVectors().vectors) {
    const credential = Buffer.from(registration.credential_id, 'hex')
    const bytes = Buffer.from(registration.attestationObject, 'hex')
    const key = publicKeyIn(bytes.toString('base64url'))
    expect(key, id).toBeDefined()
    // The key stands right behind the credential's id, whoever reads it.
    const at = bytes.indexOf(credential) + credential.length
    expect(Buffer.from(key!).equals(bytes.subarray(at, at + key!.length)), id).toBe(true)
  }
})

test('publicKeyIn answers undefined where there is no credential', async () => {
  const authenticator = await newAuthenticator({ origin: 'https://example.org', rpId: 'example.org' })
  const { response } = await authenticator.create(options, { flags: flag.UP | flag.UV })
  expect(attestationObjectIn(response.attestationObject)?.authenticatorData).toHaveLength(37)
  expect(publicKeyIn(response.attestationObject)).toBeUndefined()
})

test('attestationObjectIn finds the member wherever it stands', () => {
  expect(attestationObjectIn(object(whole))?.authenticatorData).toEqual(authData)
  expect(attestationObjectIn(object([...whole].reverse()))?.authenticatorData).toEqual(authData)
})

test.each([
  ['no base64url', '!!!!'],
  ['nothing', ''],
  ['no map', text(encodeCbor([1]))],
  ['no member authData', object(whole.slice(0, 2))],
  ['no format', object(whole.slice(1))],
  ['no statement', object([whole[0], whole[2]])],
  ['a format that is no text', object([['fmt', 1], whole[1], whole[2]])],
  ['a statement that is no map', object([whole[0], ['attStmt', []], whole[2]])],
  ['authData as text', object([whole[0], whole[1], ['authData', 'text']])],
  ['authData twice', object([...whole, ['authData', new Uint8Array(38)]])],
  ['a byte after the map', text(new Uint8Array([...cborMap(whole), 0]))],
  ['a cut map', text(cborMap(whole).subarray(0, -1))],
  ['padding', `${object(whole)}=`],
])('attestationObjectIn and publicKeyIn answer undefined for %s', (_what, attestationObject) => {
  expect(attestationObjectIn(attestationObject)).toBeUndefined()
  expect(publicKeyIn(attestationObject)).toBeUndefined()
})
