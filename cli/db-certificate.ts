/**
 * Certificates for resources, kept between calls: one file each, certificate and key together, so that a half of one never meets a half
 * of another. libpq takes the same file for both.
 */
import { KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { issueGrantCertificate, newKeys } from '../core/issue/x509.ts'
import { jwkThumbprint, parsePublicJwk } from '../core/lib/jwk.ts'
import type { Holder } from '../core/model.ts'
import { Problem } from './problem.ts'
import { configFolder } from './profile.ts'

const folderOf = (profile: string): string => join(configFolder(), `${profile}.db`)

/** Of the resource `name`: letters, digits and hyphens, as all names of resources, which no two share. */
export const certificateFile = (profile: string, name: string): string => join(folderOf(profile), `${name}.pem`)

export const newCertificateKeys = (): Promise<CryptoKeyPair> => newKeys()

/** RFC 7638. */
export async function thumbprintOf({ publicKey }: CryptoKeyPair): Promise<Holder> {
  const { kty = '', crv = '', x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey)
  const jwk = parsePublicJwk({ kty, crv, x, y })
  if (!jwk) throw new TypeError('a new key is none')
  return jwkThumbprint(jwk) as Holder
}

/** Whole or not at all. Answers the file. @throws Problem where it cannot be written */
export async function keepCertificate(
  profile: string,
  name: string,
  keys: CryptoKeyPair,
  { grant, until }: { readonly grant: string; readonly until: number },
): Promise<string> {
  const needs = { now: () => Date.now(), random: (length: number) => crypto.getRandomValues(new Uint8Array(length)) }
  const certificate = new X509Certificate(await issueGrantCertificate(needs, keys, grant, until)).toString()
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
  return keep(certificateFile(profile, name), certificate + key)
}

/** What a client must trust, as the profile trusts it. No resource's file ends so. */
export const keepAuthority = (profile: string, ca: string): string => keep(join(folderOf(profile), 'ca.crt'), ca)

function keep(file: string, content: string): string {
  const draft = `${file}.${crypto.randomUUID()}`
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(draft, content, { mode: 0o600, flag: 'wx', flush: true })
    renameSync(draft, file)
    return file
  } catch (error) {
    rmSync(draft, { force: true })
    const why = (error as { code?: string }).code ?? (error as Error).message
    throw new Problem('failed', `${file} cannot be written (${why})`, 'make room, or make the folder writable')
  }
}

/** Whether there was one. */
export function removeCertificate(profile: string, name: string): boolean {
  const file = certificateFile(profile, name)
  const isThere = existsSync(file)
  rmSync(file, { force: true })
  return isThere
}

/** With the profile they go too. */
export const removeCertificates = (profile: string): void => rmSync(folderOf(profile), { recursive: true, force: true })
