/** All that core needs, over one database: the same on every runtime. */
import { makeKeyring } from '../core/issue/keyring.ts'
import type { Keys } from '../core/keys.ts'
import type { Bytes } from '../core/lib/bytes.ts'
import { type Signatures, webSignatures } from '../core/lib/jws.ts'
import { Lru } from '../core/lib/lru.ts'
import { hashingWith, type PasswordHashing, pbkdf2 } from '../core/login/password-hash.ts'
import type { Instant } from '../core/model.ts'
import type { Ports } from '../core/ports.ts'
import { type Kv, publicKeyCopies, textCopies } from '../storage/kv.ts'
import { storedPorts } from '../storage/ports.ts'
import { preferencesPort } from '../storage/preferences.ts'
import type { Store } from '../storage/store.ts'

interface World {
  readonly now: () => Instant
  readonly random: (length: number) => Bytes
  readonly keys: Keys
  readonly store: Store
  /** Where the platform has one. */
  readonly kv?: Kv
  /** Where the platform has some that are faster than Web Cryptography's. */
  readonly signatures?: Signatures
  /** Where the platform has better than Web Cryptography's. */
  readonly passwords?: PasswordHashing
}

const proofKeysInMemory = 10_000
const callersInMemory = 1000

export function makePorts({ now, random, keys, store, kv, signatures = webSignatures, passwords }: World): Ports {
  const before = { now, random, keys, copies: textCopies(kv), ...storedPorts(store) }
  return {
    ...before,
    signatures,
    preferences: preferencesPort(store, now),
    passwords: passwords ?? hashingWith([pbkdf2], random),
    publicKeys: publicKeyCopies(kv),
    proofKeys: new Lru(proofKeysInMemory),
    accessTokens: new Lru(callersInMemory),
    callers: new Lru(callersInMemory),
    keyring: makeKeyring(before),
  }
}
