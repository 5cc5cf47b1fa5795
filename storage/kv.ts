/**
 * Copies of public keys: in memory, and in Workers KV where there is one, so that a new isolate knows a key without asking
 * the database. A copy is never believed: the batch that uses one confirms fingerprint, kind and user (core/ports.ts).
 */
import { base64url, fromBase64url } from '../core/lib/bytes.ts'
import { Lru } from '../core/lib/lru.ts'
import { type CredentialId, credentialKinds, type UserId } from '../core/model.ts'
import type { KnownKey, PublicKeys } from '../core/ports.ts'
import { importPublicKey } from '../core/tap/public-key.ts'
import type { Copies } from '../core/token-ports.ts'

/** The part of KVNamespace that is used. */
export interface Kv {
  get(key: string, type: 'text'): Promise<string | null>
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>
}

const keysInMemory = 10_000
/** Seconds. A key that is not used for so long is read from the database once more. */
const keepFor = 30 * 24 * 3600

export function publicKeyCopies(kv?: Kv): PublicKeys {
  const memory = new Lru<CredentialId, KnownKey>(keysInMemory)
  // KV takes one write a second for a name: what came from there is not written back.
  const fromKv = new WeakSet<KnownKey>()
  return {
    find: async (id) => {
      const known = memory.get(id)
      const name = nameOf(id)
      if (known || !kv || !name) return known
      const copy = parseCopy(await kv.get(name, 'text').catch(() => null))
      const publicKey = copy && (await importPublicKey(copy.cose))
      if (!publicKey) return undefined
      const found = { userId: copy.userId, kind: copy.kind, publicKey }
      fromKv.add(found)
      return found
    },
    keep: async (id, known) => {
      const isNew = memory.get(id)?.publicKey.fingerprint !== known.publicKey.fingerprint
      memory.set(id, known)
      const name = nameOf(id)
      // A copy only saves time: one that cannot be read or written must stop no login.
      if (isNew && kv && name && !fromKv.has(known))
        await kv.put(name, writeCopy(known), { expirationTtl: keepFor }).catch(() => undefined)
    },
  }
}

/** Copies of texts, where there is a KV; nowhere else are they of use, since a process keeps what it read. */
export function textCopies(kv?: Kv): Copies {
  return {
    find: async (name) => (await kv?.get(`copy:${name}`, 'text').catch(() => null)) ?? undefined,
    keep: async (name, text, ttl) => {
      await kv?.put(`copy:${name}`, text, { expirationTtl: Math.max(Math.ceil(ttl / 1000), 60) }).catch(() => undefined)
    },
  }
}

/** KV takes names of at most 512 bytes: a credential with a longer id, which is rare, has no copy there. */
const nameOf = (id: CredentialId): string | undefined => (id.length <= 500 ? `key:${id}` : undefined)

const writeCopy = ({ userId, publicKey, kind }: KnownKey): string => `${userId}.${base64url(publicKey.cose)}.${kind}`

function parseCopy(text: string | null) {
  const [userId, key, said = 'passkey'] = (text ?? '').split('.')
  const cose = key === undefined ? undefined : fromBase64url(key)
  const kind = credentialKinds.find((one) => one === said)
  if (!cose || !kind) return undefined
  return { userId: userId as UserId, cose, kind }
}
