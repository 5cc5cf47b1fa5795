/** What is kept of ACME in the proxy's home, a folder for each authority: the account's key, and a file with certificate and key for each name. */
import { createHash, createPrivateKey, createPublicKey, KeyObject, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type AccountKey, accountKey } from '../../core/issue/acme.ts'
import { newKeys } from '../../core/issue/x509.ts'
import { namesOf } from '../certificate-book.ts'
import { parsePrivateKey, readPem } from '../certificates.ts'
import { notWritable, readJsonFile, replaceFile, requirePrivate } from '../own-files.ts'

export interface Kept {
  readonly cert: string
  readonly key: string
  readonly leaf: X509Certificate
}

export class AcmeStore {
  readonly #folder: string

  /** Another directory, such as the real one after the one for trying, starts anew. */
  constructor(home: string, directory: string) {
    const { host } = new URL(directory)
    const digest = createHash('sha256').update(directory).digest('hex').slice(0, 12)
    this.#folder = join(home, 'acme', `${host.replaceAll(/[^a-z0-9.-]/g, '_')}-${digest}`)
  }

  /** Made where there is none. @throws SetupProblem */
  async account(): Promise<AccountKey> {
    const file = join(this.#folder, 'account.key')
    if (!existsSync(file)) {
      const { privateKey } = await newKeys()
      this.#write(file, pemOf(privateKey))
    }
    requirePrivate(file)
    return accountKey(await pairOf(parsePrivateKey(file, readPem(file))))
  }

  /** undefined: none is kept, or none that still is one. @throws SetupProblem */
  find(name: string): Kept | undefined {
    const file = this.#fileOf(name)
    if (!existsSync(file)) return undefined
    requirePrivate(file)
    const kept = readJsonFile(file)
    const { cert, key } = (typeof kept === 'object' && kept !== null ? kept : {}) as { cert?: unknown; key?: unknown }
    return typeof cert === 'string' && typeof key === 'string' ? keptOf(name, cert, key) : undefined
  }

  /** In one file: a certificate never meets another's key. @throws SetupProblem */
  keep(name: string, { cert, key }: Kept): void {
    this.#write(this.#fileOf(name), `${JSON.stringify({ cert, key })}\n`)
  }

  #fileOf(name: string): string {
    return join(this.#folder, `${name}.json`)
  }

  #write(file: string, content: string): void {
    try {
      replaceFile(file, content)
    } catch (error) {
      throw notWritable(this.#folder, error as Error)
    }
  }
}

/** undefined: they do not belong together, or are not for this name. */
export function keptOf(name: string, cert: string, key: string): Kept | undefined {
  try {
    const leaf = new X509Certificate(cert)
    return namesOf(leaf).includes(name) && leaf.checkPrivateKey(createPrivateKey(key)) ? { cert, key, leaf } : undefined
  } catch {
    return undefined
  }
}

export const pemOf = (privateKey: CryptoKey): string =>
  KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()

async function pairOf(key: KeyObject): Promise<CryptoKeyPair> {
  const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
  const pkcs8 = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }))
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }))
  return {
    privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, p256, false, ['sign']),
    publicKey: await crypto.subtle.importKey('spki', spki, p256, true, ['verify']),
  }
}
