/**
 * Whom the CLI believes to be the proxy. `--ca-file`, `--ca-pin`, for a loopback address the CA that the server keeps on
 * this machine, else the roots of the system. Certificates that are not of the system are trusted alone, and stay with the
 * profile: another CA later is refused. Nothing is ever sent over a connection that was not verified.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import { base64url, fromBase64url } from '../core/lib/bytes.ts'
import { type Address, addressText, isLoopback } from './address.ts'
import { systemRoots, wayOf } from './http-proxy.ts'
import { Problem } from './problem.ts'

/** Certificates in PEM, or undefined for the roots of the system. */
export type Trust = string | undefined

const patienceMs = 10_000

/** For node:tls and node:https. A partial chain may end at an intermediate CA, where exactly that one is trusted. */
export const tlsOptions = ({ host }: Address, ca: Trust) =>
  ({
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
    ca: ca ?? systemRoots(),
    allowPartialTrustChain: ca !== undefined,
  }) as const satisfies ConnectionOptions

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
/** RFC 7469's pin: SHA-256 of the SubjectPublicKeyInfo, so that a renewed certificate of the same key keeps it. */
export const pinOf = (certificate: X509Certificate): string =>
  `sha256:${base64url(sha256(new Uint8Array(certificate.publicKey.export({ type: 'spki', format: 'der' }))))}`

const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g
/** @throws where a block is no certificate */
export const certificatesIn = (pem: string): X509Certificate[] =>
  [...pem.matchAll(pemBlock)].map(([block]) => new X509Certificate(block))

export interface TrustFlags {
  readonly caFile?: string | undefined
  readonly caPin?: string | undefined
}

/** @throws Problem usage for flags that make no sense, unreachable where the proxy does not show what is trusted */
export async function chooseTrust(address: Address, flags: TrustFlags, serverHome: string): Promise<Trust> {
  if (flags.caFile !== undefined && flags.caPin !== undefined) {
    throw new Problem('usage', '--ca-file and --ca-pin are given', 'give one of them')
  }
  if (flags.caPin !== undefined) return pinned(address, requirePin(flags.caPin))
  const trust = flags.caFile === undefined ? ownCa(address, serverHome) : readCaFile(flags.caFile)
  await requireTrusted(address, trust)
  return trust
}

function requirePin(text: string): string {
  const digest = text.startsWith('sha256:') ? fromBase64url(text.slice('sha256:'.length)) : undefined
  if (digest?.length === 32) return text
  throw new Problem(
    'usage',
    `${text} is not a pin`,
    'a pin is sha256: and 43 letters: "sallyport admin status" shows it',
  )
}

/** A certificate that is no CA would be trusted for what it names, so it is refused by name. */
function readCaFile(file: string): string {
  const wrong = (why: string, cause?: unknown) =>
    new Problem('usage', `${file} ${why}`, 'give a file of CA certificates in PEM', { cause })
  try {
    const certificates = certificatesIn(readFileSync(file, 'utf8'))
    if (certificates.length === 0) throw wrong('holds no certificate in PEM')
    if (!certificates.every(({ ca }) => ca)) throw wrong('holds a certificate that is not a CA')
    return certificates.map(String).join('')
  } catch (error) {
    if (error instanceof Problem) throw error
    throw wrong(`cannot be read (${(error as { code?: string }).code ?? 'no certificate'})`, error)
  }
}

/** What `npm start` made on this machine. A name that others could answer for never gets it. */
function ownCa(address: Address, serverHome: string): Trust {
  if (!isLoopback(address)) return undefined
  const file = join(serverHome, 'ca.pem')
  try {
    return readCaFile(file)
  } catch (error) {
    const { code } = ((error as Problem).cause ?? {}) as { code?: string }
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** The pin may name any CA of the chain that is shown; the chain must then verify up to exactly that certificate. */
async function pinned(address: Address, pin: string): Promise<Trust> {
  const chain = await look(address)
  const found = chain.find((certificate) => pinOf(certificate) === pin)
  if (!found) throw notTrusted(address, chain, `shows no CA with the pin ${pin}`)
  if (!found.ca) throw notTrusted(address, chain, 'has that pin itself, but a pin must be the one of its CA')
  await requireTrusted(address, found.toString())
  return found.toString()
}

/** A whole handshake over which nothing is sent. @throws Problem unreachable */
export async function requireTrusted(address: Address, trust: Trust): Promise<void> {
  try {
    await handshake(address, tlsOptions(address, trust), () => undefined)
  } catch (error) {
    throw await asProblem(address, error)
  }
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? ''
/** Codes of OpenSSL's verification, and of Node's check of the name. */
const aboutTrust =
  /^(CERT_|UNABLE_TO_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|INVALID_|ERROR_IN_CERT|HOSTNAME_MISMATCH|PATH_LENGTH|CA_)/
const reasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'shows a certificate that has expired',
  CERT_NOT_YET_VALID: 'shows a certificate that is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'shows a certificate for another name',
}
const wayOut: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'renew it there, and check the clock of this machine',
  CERT_NOT_YET_VALID: 'check the clock of this machine',
  ERR_TLS_CERT_ALTNAME_INVALID: 'use the name that the certificate is for',
}

/** What a failed connection means. Also for connections of later calls. */
export async function asProblem(address: Address, error: unknown): Promise<Problem> {
  if (error instanceof Problem) return error
  const code = codeOf(error)
  if (!aboutTrust.test(code)) return unreachable(address, error)
  const hint = wayOut[code]
  if (hint) return new Problem('unreachable', `${addressText(address)} ${reasons[code]}`, hint, { cause: error })
  const chain = await look(address).catch((): X509Certificate[] => [])
  return notTrusted(address, chain, `shows a certificate that is not trusted (${code})`)
}

function unreachable(address: Address, cause: unknown): Problem {
  const code = codeOf(cause)
  const why = code === 'ERR_TIMED_OUT' ? 'does not answer' : `cannot be reached (${code || (cause as Error).message})`
  return new Problem('unreachable', `${addressText(address)} ${why}`, 'check the address, and that the proxy runs', {
    cause,
  })
}

function notTrusted(address: Address, chain: readonly X509Certificate[], why: string): Problem {
  const ca = chain.findLast((certificate) => certificate.ca)
  const message = `${addressText(address)} ${why}`
  if (!ca) return new Problem('unreachable', message, 'give the file of its CA with --ca-file=FILE')
  const pin = pinOf(ca)
  return new Problem(
    'unreachable',
    `${message}; the pin of its CA is ${pin}`,
    `if the administrator's "sallyport admin status" shows the same pin, sallyport login with --ca-pin=${pin}, or with --ca-file=FILE`,
  )
}

/** The chain as it is shown, leaf first. Not verified, and nothing is sent. */
async function look(address: Address): Promise<X509Certificate[]> {
  const unverified: ConnectionOptions = { ...tlsOptions(address, undefined), rejectUnauthorized: false }
  try {
    return await handshake(address, unverified, chainOf)
  } catch (error) {
    throw unreachable(address, error)
  }
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  const seen = new Set<string>()
  while (next?.raw && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256)
    chain.push(new X509Certificate(next.raw))
    next = next.issuerCertificate
  }
  return chain
}

async function handshake<T>(address: Address, options: ConnectionOptions, use: (socket: TLSSocket) => T): Promise<T> {
  const to = await wayOf(address)
  return new Promise((resolve, reject) => {
    const socket = connect({ ...options, ...to }, () => {
      resolve(use(socket))
      socket.destroy()
    })
    const late = Object.assign(new Error('no answer'), { code: 'ERR_TIMED_OUT' })
    socket.setTimeout(patienceMs, () => socket.destroy(late))
    socket.once('error', reject)
  })
}
