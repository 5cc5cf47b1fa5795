/**
 * The authority of a machine of its own: `ca.pem` and `ca.key` in SALLYPORT_HOME, made once. Clients trust `ca.pem`, or
 * compare the pin of its key; the certificates that it issues live in memory.
 */
import { KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Issued,
  type Issuer,
  issueLocalCa,
  issueServerCertificate,
  type Names,
  notPermitted,
} from '../core/issue/x509.ts'
import { type Duration, hours, type Instant, seconds } from '../core/model.ts'
import type { Ports } from '../core/ports.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import {
  type Certificates,
  parseCertificate,
  parsePrivateKey,
  readPem,
  requireValid,
  type ServerCertificate,
} from './certificates.ts'
import { draftOf, notWritable, requirePrivate } from './own-files.ts'

type Needs = Pick<Ports, 'now' | 'random'>

/** A week: nothing revokes it, so it must not live long. It is renewed at half of that. */
export const serverTtl: Duration = hours(7 * 24)
/** How long another process may take between its two files. It takes microseconds. */
const otherFileMs = seconds(2)

/** Names and life are those of the server certificates. @throws SetupProblem */
export async function localCertificates(
  needs: Needs,
  home: string,
  names: Names,
  ttl: Duration = serverTtl,
): Promise<Certificates> {
  const authority = await openLocalCa(needs, home, names)
  let renewAt: Instant = 0
  const certificateOf = async (those: Names): Promise<ServerCertificate> => {
    const { certificate, keys } = await issueServerCertificate(needs, authority, those, ttl)
    // With the authority's own certificate, which a client needs for its pin.
    return { cert: [pemOf(certificate), pemOf(authority.certificate)].join(''), key: keyPemOf(keys) }
  }
  const issue = () => {
    renewAt = needs.now() + ttl / 2
    return certificateOf(names)
  }
  return {
    first: issue,
    newer: async () => (needs.now() >= renewAt ? issue() : undefined),
    issueFor: async (name) => {
      const one = { dns: [name], addresses: [] }
      return notPermitted(authority.certificate, one).length > 0 ? undefined : certificateOf(one)
    },
  }
}

/** Makes the authority where there is none. @throws SetupProblem */
export async function openLocalCa(needs: Needs, home: string, names: Names): Promise<Issuer> {
  const files = { certificate: join(home, 'ca.pem'), key: join(home, 'ca.key') }
  if (!existsSync(files.certificate) && !existsSync(files.key)) await makeOnce(needs, home, files, names)
  await requireBoth(files)
  return read(files, names, needs.now())
}

interface Files {
  readonly certificate: string
  readonly key: string
}

/**
 * Of several processes that start at once, one wins the link of the key, and only that one puts its certificate beside it:
 * a key and a certificate of two processes never meet. Both drafts are on the disk before.
 */
async function makeOnce(needs: Needs, home: string, files: Files, names: Names): Promise<void> {
  const issued = await issueLocalCa(needs, names)
  const drafts = { certificate: draftOf(files.certificate), key: draftOf(files.key) }
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 })
    writeFileSync(drafts.certificate, pemOf(issued.certificate), { mode: 0o644, flush: true })
    writeFileSync(drafts.key, keyPemOf(issued.keys), { mode: 0o600, flush: true })
    // A link appears whole or not at all, and never replaces a file.
    linkSync(drafts.key, files.key)
    linkSync(drafts.certificate, files.certificate)
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw notWritable(home, error as Error)
  } finally {
    for (const draft of Object.values(drafts)) rmSync(draft, { force: true })
  }
}

const makeAnew = 'remove both files: a new authority is made, which clients have to trust anew'

async function requireBoth(files: Files): Promise<void> {
  for (let waited = 0; waited < otherFileMs; waited += 20) {
    if (existsSync(files.certificate) && existsSync(files.key)) return
    await sleep(20)
  }
  const [there, missing] = existsSync(files.key) ? [files.key, files.certificate] : [files.certificate, files.key]
  throw new SetupProblem(`${missing} is missing, and ${there} is there`, `put it back, or ${makeAnew}`)
}

async function read(files: Files, names: Names, now: Instant): Promise<Issuer> {
  requirePrivate(files.key)
  const certificate = parseCertificate(files.certificate, readPem(files.certificate))
  const key = parsePrivateKey(files.key, readPem(files.key))
  if (!certificate.checkPrivateKey(key)) {
    throw new SetupProblem(
      `${files.key} is not the key of ${files.certificate}`,
      `put the right one back, or ${makeAnew}`,
    )
  }
  if (!certificate.ca || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new SetupProblem(
      `${files.certificate} is no authority with a P-256 key`,
      `set SALLYPORT_PROXY_CERT and SALLYPORT_PROXY_KEY for a certificate of your own, or ${makeAnew}`,
    )
  }
  requireValid(files.certificate, certificate, now, `set the clock of this machine, or ${makeAnew}`)
  requirePermitted(files.certificate, certificate, names)
  return { certificate: new Uint8Array(certificate.raw), key: await importKey(key) }
}

function requirePermitted(file: string, certificate: X509Certificate, names: Names): void {
  const beyond = notPermitted(new Uint8Array(certificate.raw), names)
  if (beyond.length === 0) return
  throw new SetupProblem(
    `${file} was not made for ${beyond.join(', ')}`,
    `change SALLYPORT_PROXY_NAMES, or ${makeAnew}`,
  )
}

const importKey = (key: KeyObject): Promise<CryptoKey> => {
  const der = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }))
  return crypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
}

const pemOf = (der: Uint8Array): string => new X509Certificate(der).toString()
const keyPemOf = ({ privateKey }: Issued['keys']): string =>
  KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
