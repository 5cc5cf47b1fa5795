/** What stands in for what is not there, so that an answer about nobody costs what one about somebody costs. */
import type { Purpose } from '../intent.ts'
import { type Bytes, fromBase64url } from '../lib/bytes.ts'
import type { Ports } from '../ports.ts'
import { importPublicKey } from '../tap/public-key.ts'
import { type Shown, type Tap, verifyTap } from '../tap/verify.ts'

/**
 * A known credential that is met for the first time costs one import, the same hashes and one signature check: so does an unknown
 * one. The x of this COSE_Key is SHA-256("sallyport dummy key v1\0" || 00), so nobody has its private half.
 */
const dummyCose =
  'pQECAyYgASFYIP4RzkOH0iw6tGtwGqAwKgaX4THiewiYk1gQ5is0jn1sIlggbPQYD2myqFFgGgBjawECef6cCg7UxxxNKtZZZTTybxI'

/** Whatever it finds wrong, the true reason is another: that the credential is not there. */
export async function verifyAsNobody<P extends Purpose>(
  { signatures }: Pick<Ports, 'signatures'>,
  tap: Tap,
  shown: Shown<P>,
): Promise<void> {
  const key = await importPublicKey(fromBase64url(dummyCose) ?? new Uint8Array(0), signatures)
  if (key === undefined) throw new TypeError('The dummy key cannot be imported')
  await verifyTap(tap, { kind: 'passkey', publicKey: key }, shown).catch(() => undefined)
}

/** As long as an authenticator app's key is when it is sealed; it opens to nothing. */
export const nobodysTotp: Bytes = new Uint8Array(48)
