/** Finding the public key that a tap is checked with. */
import { fromBase64url } from '../lib/bytes.ts'
import type { CredentialId } from '../model.ts'
import type { KnownKey, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { importPublicKey } from '../tap/public-key.ts'

/**
 * Runs `work` with a credential's key: from a copy where there is one, which saves a round trip, and the batch confirms what
 * it says. A copy that is wrong must keep nobody out either: what is refused with one is tried again with the database's
 * key if that is another. (Whatever was refused has written nothing.) `work` itself keeps a copy once a tap was accepted, so
 * that guesses fill no memory and never make a later guess faster.
 */
export async function withKey<T>(
  ports: Pick<Ports, 'publicKeys' | 'credentials' | 'signatures'>,
  id: string,
  work: (known: KnownKey | undefined) => Promise<T>,
): Promise<T> {
  if (!fromBase64url(id)?.length) throw new Refusal('assertion_malformed', { why: 'credential id' })
  const copy = await ports.publicKeys.find(id as CredentialId)
  if (!copy) return work(await storedKey(ports, id as CredentialId))
  try {
    return await work(copy)
  } catch (error) {
    // Another key would change nothing about that.
    if (!(error instanceof Refusal) || isOfAnotherTime(error)) throw error
    const stored = await storedKey(ports, id as CredentialId)
    if (!stored || isSame(stored, copy)) throw error
    return work(stored)
  }
}

async function storedKey(
  { credentials, signatures }: Pick<Ports, 'credentials' | 'signatures'>,
  id: CredentialId,
): Promise<KnownKey | undefined> {
  const credential = await credentials.find(id)
  const publicKey = credential && (await importPublicKey(credential.publicKey, signatures))
  return publicKey && { userId: credential.userId, kind: credential.kind, publicKey }
}

const isSame = (a: KnownKey, b: KnownKey): boolean =>
  a.userId === b.userId && a.kind === b.kind && a.publicKey.fingerprint === b.publicKey.fingerprint

const isOfAnotherTime = ({ code }: Refusal): boolean => code === 'preference_changed' || code === 'policy_changed'
