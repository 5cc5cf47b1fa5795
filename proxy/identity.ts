/**
 * Who this proxy is: an Ed25519 key in `SALLYPORT_HOME/proxy/key`, made once and registered at the edge. Its thumbprint is the
 * proxy's id; `boot` names this process, so that a grant for an earlier one opens nothing.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { base64url } from '../core/lib/bytes.ts'
import type { Ports } from '../core/ports.ts'
import { proxyIdOf, proxyJwk } from '../core/proxy-proof.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { parsePrivateKey, readPem } from './certificates.ts'
import { draftOf, notWritable, requirePrivate } from './own-files.ts'

export interface Identity {
  readonly id: string
  /** Ed25519 public key, base64url: what is registered. */
  readonly x: string
  readonly boot: string
  readonly key: CryptoKey
}

export const proxyFolder = (home: string): string => join(home, 'proxy')

/** Makes the key where there is none. @throws SetupProblem */
export async function openIdentity({ random }: Pick<Ports, 'random'>, home: string): Promise<Identity> {
  const file = join(proxyFolder(home), 'key')
  if (!existsSync(file)) makeOnce(proxyFolder(home), file)
  requirePrivate(file)
  const key = parsePrivateKey(file, readPem(file))
  const x = publicPartOf(file, key)
  return { id: proxyIdOf(proxyJwk(x)), x, boot: base64url(random(16)), key: await importKey(key) }
}

/** Of several processes that start at once, one wins the link, and all read what it wrote. */
function makeOnce(folder: string, file: string): void {
  const draft = draftOf(file)
  const { privateKey } = generateKeyPairSync('ed25519')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true })
    linkSync(draft, file)
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw notWritable(folder, error as Error)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** @throws SetupProblem */
function publicPartOf(file: string, key: KeyObject): string {
  const { crv, x } = key.asymmetricKeyType === 'ed25519' ? key.export({ format: 'jwk' }) : {}
  if (crv === 'Ed25519' && x !== undefined) return x
  throw new SetupProblem(
    `${file} is no Ed25519 key`,
    'put the right one back, or remove it: a new one is made, which must be registered at the edge',
  )
}

function importKey(key: KeyObject): Promise<CryptoKey> {
  const der = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }))
  return crypto.subtle.importKey('pkcs8', der, 'Ed25519', false, ['sign'])
}

/** What `sallyport-proxy identity` prints. */
export const identityLine = ({ id, x }: Pick<Identity, 'id' | 'x'>): string => JSON.stringify({ id, x })
