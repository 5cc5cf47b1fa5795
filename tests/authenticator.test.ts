import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import { describe, expect, test } from 'vitest'
import { type Algorithm, type Authenticator, flag, newAuthenticator } from './authenticator.ts'

const origin = 'https://edge.example'
const rpId = 'edge.example'
const challenge = 'Y2hhbGxlbmdl'
const creation = { challenge, rp: { id: rpId }, user: { id: 'dXNlcg' } }
const expected = { expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpId }
const aaguid = 'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4'

async function register(authenticator: Authenticator, attestation: 'none' | 'packed') {
  const response = await authenticator.create(creation, { attestation })
  const { registrationInfo } = await verifyRegistrationResponse({
    ...expected,
    response,
    supportedAlgorithmIDs: [authenticator.alg],
  })
  if (!registrationInfo) throw new Error('the registration was refused')
  return registrationInfo
}

describe.each<[string, Algorithm]>([
  ['ES256', -7],
  ['EdDSA', -8],
  ['RS256', -257],
])('newAuthenticator with %s', (_name, alg) => {
  test.each(['none', 'packed'] as const)('create with attestation %s is accepted', async (attestation) => {
    const info = await register(await newAuthenticator({ origin, rpId, alg, aaguid }), attestation)
    expect(info).toMatchObject({ fmt: attestation, aaguid, userVerified: true, credentialBackedUp: false })
  })

  test('get is accepted, counts up and names the user', async () => {
    const authenticator = await newAuthenticator({ origin, rpId, alg })
    const { credential } = await register(authenticator, 'none')
    const response = await authenticator.get({ challenge, rpId })
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({ ...expected, response, credential })
    expect(verified).toBe(true)
    expect(authenticationInfo.newCounter).toBe(1)
    expect(response.response.userHandle).toBe(creation.user.id)
  })

  test('get with a bad signature is refused', async () => {
    const authenticator = await newAuthenticator({ origin, rpId, alg })
    const { credential } = await register(authenticator, 'none')
    const response = await authenticator.get({ challenge, rpId }, { badSignature: true })
    expect((await verifyAuthenticationResponse({ ...expected, response, credential })).verified).toBe(false)
  })
})

test.each([
  ['origin', { origin: 'https://evil.example' }, /origin/],
  ['type', { type: 'webauthn.create' }, /type/],
  ['challenge', { challenge: 'b3RoZXI' }, /challenge/],
  ['rpId', { rpId: 'evil.example' }, /RP ID/],
  ['flags', { flags: flag.UP }, /verification/],
  ['counter', { counter: 1 }, /counter/],
])('get with another %s is refused for that reason', async (_name, overrides, reason) => {
  const authenticator = await newAuthenticator({ origin, rpId })
  const { credential } = await register(authenticator, 'none')
  const response = await authenticator.get({ challenge, rpId }, overrides)
  const verification = verifyAuthenticationResponse({
    ...expected,
    response,
    credential: { ...credential, counter: 5 },
  })
  await expect(verification).rejects.toThrow(reason)
})

test('get carries backup flags, extensions, top origin, extra client data and a chosen user handle', async () => {
  const authenticator = await newAuthenticator({ origin, rpId })
  const { credential } = await register(authenticator, 'none')
  const { UP, UV, BE, BS, ED } = flag
  const extras = {
    crossOrigin: true,
    topOrigin: 'https://top.example',
    clientData: { extra: 1 },
    userHandle: 'b3RoZXI',
  }
  const response = await authenticator.get({ challenge, rpId }, { ...extras, flags: UP | UV | BE | BS | ED })
  const { authenticationInfo } = await verifyAuthenticationResponse({
    ...expected,
    expectedTopOrigin: extras.topOrigin,
    response,
    credential,
  })
  expect(authenticationInfo).toMatchObject({ credentialDeviceType: 'multiDevice', credentialBackedUp: true })
  expect(response.response.userHandle).toBe('b3RoZXI')
  const clientData: unknown = JSON.parse(
    atob(response.response.clientDataJSON.replaceAll('-', '+').replaceAll('_', '/')),
  )
  expect(clientData).toMatchObject({ crossOrigin: true, topOrigin: 'https://top.example', extra: 1 })
})
