/**
 * Passwords at rest. What each runtime has is another algorithm, so a hash says what made it: any runtime verifies what it can, and
 * hashes that it would make otherwise today are made anew at the next login. A hash that it cannot verify (the database was moved to
 * a runtime without that algorithm) is told to the operator; its user sets a new password, signed in with a passkey.
 */
import { type Bytes, equalBytes, utf8 } from '../lib/bytes.ts'
import { type Phc, parsePhc, writePhc } from '../lib/phc.ts'
import { Refusal } from '../refusal.ts'

export interface PasswordHashing {
  /** As a PHC string, by the first algorithm of this runtime. */
  hash(password: string): Promise<string>
  /** @throws Refusal password_unreadable: this runtime lacks the algorithm. It has then cost what a comparison costs. */
  verify(password: string, stored: string): Promise<boolean>
  /** Whether `hash` would make it otherwise. */
  isOutdated(stored: string): boolean
  /** A hash of which nobody knows a password, to be compared with where there is none: as costly as a new one. */
  readonly nobodys: string
}

type Parameters = Phc['parameters']

/** One algorithm of a runtime. */
export interface Kdf {
  readonly name: string
  readonly version?: number
  /** Of new hashes. */
  readonly parameters: Parameters
  /** The most that is spent on a stored hash: a row that was tampered with must not take the machine's memory. */
  readonly most: Parameters
  /** `length`: bytes of the hash. */
  derive(password: Bytes, salt: Bytes, parameters: Parameters, length: number): Promise<Bytes>
}

const saltLength = 16
const hashLength = 32

/** Two spellings that look the same are one password (NIST SP 800-63B section 3.1.1.2). */
const bytesOf = (password: string): Bytes => utf8(password.normalize('NFKC'))

/** New hashes are made by the first of `kdfs`. */
export function hashingWith(
  [first, ...others]: readonly [Kdf, ...Kdf[]],
  random: (length: number) => Bytes,
): PasswordHashing {
  const kdfs = [first, ...others]
  const write = (salt: Bytes, hash: Bytes) => writePhc({ ...headOf(first), salt, hash })
  const nobodys = write(new Uint8Array(saltLength), new Uint8Array(hashLength))
  const compare = async (password: string, { parameters, salt, hash }: Phc, kdf: Kdf) =>
    equalBytes(await kdf.derive(bytesOf(password), salt, parameters, hash.length), hash)
  return {
    nobodys,
    hash: async (password) => {
      const salt = random(saltLength)
      return write(salt, await first.derive(bytesOf(password), salt, first.parameters, hashLength))
    },
    verify: async (password, stored) => {
      const phc = parsePhc(stored)
      const kdf = phc && kdfs.find((one) => canRead(one, phc))
      if (phc && kdf) return compare(password, phc, kdf)
      await compare(password, parsePhc(nobodys) as Phc, first)
      throw new Refusal('password_unreadable', { algorithm: phc?.name ?? 'unknown' })
    },
    isOutdated: (stored) => {
      const phc = parsePhc(stored)
      return phc === undefined || writePhc({ ...phc, ...headOf(first) }) !== stored
    },
  }
}

const headOf = ({ name, version, parameters }: Kdf) => ({
  name,
  ...(version !== undefined && { version }),
  parameters,
})

/** Exactly the parameters that it knows, none beyond what it spends. */
function canRead({ name, version, most }: Kdf, phc: Phc): boolean {
  const keys = Object.keys(most)
  const isWithin = (key: string) => (phc.parameters[key] ?? 0) >= 1 && (phc.parameters[key] ?? 0) <= (most[key] ?? 0)
  const isHash = phc.hash.length >= 16 && phc.hash.length <= 64
  const isIts = name === phc.name && version === phc.version
  return isIts && isHash && keys.length === Object.keys(phc.parameters).length && keys.every(isWithin)
}

/**
 * RFC 8018 with HMAC-SHA-256, the one that Web Cryptography has. 100,000 rounds are all that Cloudflare's runtime takes
 * (cloudflare/workerd#1346); NIST and OWASP ask for more, so wherever there is something better it comes first.
 */
export const pbkdf2: Kdf = {
  name: 'pbkdf2-sha256',
  parameters: { i: 100_000 },
  most: { i: 100_000 },
  derive: async (password, salt, { i: iterations = 0 }, length) => {
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
    const algorithm = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations }
    return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, length * 8))
  },
}
