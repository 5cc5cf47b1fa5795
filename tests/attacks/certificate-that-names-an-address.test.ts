/**
 * A registration's certificates name addresses: of revocation lists, of issuers. Whoever registers chooses them, so an edge
 * that asked there would send requests wherever he likes, into the network that it stands in.
 */
import { verifyRegistrationResponse } from '@simplewebauthn/server'
import { beforeEach, expect, test, vi } from 'vitest'
import { fromBase64url } from '../../core/lib/bytes.ts'
import { verifyRegistration } from '../../core/login/passkey-register.ts'
import { der, extensionOf, modelExtension, now, pemOf } from '../core/certificates.ts'
import {
  android,
  apple,
  appleNonce,
  challenge,
  edited,
  keyDescription,
  model,
  newPasskey,
  origin,
  packed,
  registrationOf,
  rpId,
} from '../core/login/attested.ts'
import { hashOf } from '../core/signer.ts'
import { intentFor, siteOf } from '../core/tap/judges.ts'

vi.mock('../../core/intent.ts', async (original) => ({
  ...(await original<object>()),
  challengeOf: ({ id }: { id: string }) => fromBase64url(id) ?? new Uint8Array(0),
}))

const address = Buffer.from('http://169.254.169.254/latest/meta-data')
const revocationList = extensionOf('2.5.29.31', der(0x30, der(0x30, der(0xa0, der(0xa0, der(0x86, address))))))

const asked = vi.fn(() => Promise.reject(new Error('nobody there')))
beforeEach(() => {
  asked.mockClear()
  vi.stubGlobal('fetch', asked)
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(now)
})

const passkey = await newPasskey()
const attacks = {
  'android-key': await android(passkey, { extensions: [keyDescription(passkey), revocationList] }),
  apple: await apple(passkey, { extensions: [appleNonce(hashOf(passkey.signed)), revocationList] }),
  packed: await packed(passkey, { extensions: [modelExtension(model), revocationList] }),
}

test.each(Object.entries(attacks))(
  '%s: nothing is asked there, with a policy and without',
  async (format, { entries, leaf, root }) => {
    const registration = registrationOf(passkey, format, edited(entries, { x5c: [leaf.der, root.der] }))
    const lists = { deniedCas: [], allowedAaguids: [], deniedAaguids: [], backupEligible: true }
    for (const attestation of [undefined, { ...lists, allowedCas: [pemOf(root.der)] }]) {
      const wanted = { kind: 'passkey', attestation } as const
      await verifyRegistration(siteOf(origin, rpId), intentFor(challenge, 'register'), registration, now, wanted)
    }
    expect(asked).not.toHaveBeenCalled()
  },
)

test('the library alone would have asked', async () => {
  const { entries, leaf, root } = attacks['android-key']
  const { id, response } = registrationOf(passkey, 'android-key', edited(entries, { x5c: [leaf.der, root.der] }))
  const work = verifyRegistrationResponse({
    response: {
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: { ...response, transports: [] },
    },
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
  })
  await expect(work).rejects.toThrow('not a known root certificate')
  expect(asked).toHaveBeenCalled()
})
