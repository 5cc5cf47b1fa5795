/**
 * The hashing of passwords that Node, Deno and Bun have of their own: Argon2id (RFC 9106) in Node since 24.7 and in Bun, scrypt (RFC
 * 7914) in all three. Parameters as OWASP's Password Storage Cheat Sheet puts them on a level: 19 MiB and two passes, 32 MiB and three lanes.
 */
import * as nodeCrypto from 'node:crypto'
import type { Bytes } from '../core/lib/bytes.ts'
import { hashingWith, type Kdf, type PasswordHashing, pbkdf2 } from '../core/login/password-hash.ts'
import { turns } from './turns.ts'

/** A hash takes a core for a twentieth of a second or more, and up to 32 MiB: two at once, and at most 64 that wait. */
const inTurn = turns(2, 64)

type Done = (error: Error | null, hash: Uint8Array) => void
const settled = (work: (done: Done) => void): Promise<Bytes> =>
  inTurn(
    () =>
      new Promise((resolve, reject) => work((error, hash) => (error ? reject(error) : resolve(new Uint8Array(hash))))),
  )

const argon2id: Kdf = {
  name: 'argon2id',
  version: 19,
  parameters: { m: 19_456, t: 2, p: 1 },
  most: { m: 262_144, t: 16, p: 16 },
  derive: (message, nonce, { m: memory = 0, t: passes = 0, p: parallelism = 0 }, tagLength) =>
    settled((done) => nodeCrypto.argon2('argon2id', { message, nonce, memory, passes, parallelism, tagLength }, done)),
}

/** `ln`: the binary logarithm of N. */
const scrypt: Kdf = {
  name: 'scrypt',
  parameters: { ln: 15, r: 8, p: 3 },
  most: { ln: 18, r: 16, p: 16 },
  derive: (password, salt, { ln = 0, r = 0, p = 0 }, length) =>
    settled((done) => nodeCrypto.scrypt(password, salt, length, { N: 2 ** ln, r, p, maxmem: 256 * r * 2 ** ln }, done)),
}

/** Deno has no argon2 yet, so it is asked for: an import by name would not even load there. */
const kdfs: readonly [Kdf, ...Kdf[]] =
  typeof nodeCrypto.argon2 === 'function' ? [argon2id, scrypt, pbkdf2] : [scrypt, pbkdf2]

export const nodePasswords = (random: (length: number) => Bytes): PasswordHashing => hashingWith(kdfs, random)
