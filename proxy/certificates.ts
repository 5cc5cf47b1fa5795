/** The server certificate: where it comes from, and when there is a newer one. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Duration, Instant } from '../core/model.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import type { CertificateFiles } from './config.ts'
import type { Log } from './log.ts'

/** PEM: a certificate with those that lead to its authority, and its key. Of several, OpenSSL takes the one that the client can read. */
export interface ServerCertificate extends SecureContextOptions {
  readonly cert: string | string[]
  readonly key: string | string[]
}

export interface Certificates {
  /** @throws SetupProblem */
  first(): Promise<ServerCertificate>
  /** undefined: the one in use will do. @throws SetupProblem */
  newer(): Promise<ServerCertificate | undefined>
  /** A certificate for this server name alone, where an authority is at hand. undefined: it cannot speak for that. */
  issueFor?(serverName: string): Promise<ServerCertificate | undefined>
}

/** Looks again before it is time. Never rejects: what failed stands in the log. */
export interface Fresh {
  look(): Promise<void>
  stop(): void
}

/**
 * Looks again and again rather than once at the right time: a laptop that slept through that time wakes with a timer that
 * still waits. What fails leaves the certificate in use, and is told once until something else fails.
 */
export function keepFresh(
  certificates: Certificates,
  every: Duration,
  renew: (certificate: ServerCertificate) => void,
  log: Log,
): Fresh {
  let told: string | undefined
  const look = async () => {
    try {
      const certificate = await certificates.newer()
      told = undefined
      if (!certificate) return
      renew(certificate)
      log({ level: 'info', message: 'certificate renewed' })
    } catch (error) {
      const { message } = error as Error
      if (told !== message) log({ level: 'error', message: `Cannot renew the certificate: ${message}` })
      told = message
    }
  }
  const timer = setInterval(() => void look(), every).unref()
  return { look, stop: () => clearInterval(timer) }
}

/** One's own files, read again when whoever renews them has replaced both. */
export function certificatesOf(files: CertificateFiles, now: () => Instant): Certificates {
  const load = () => readOwn(files, now())
  let current = ''
  return {
    first: async () => {
      const certificate = load()
      current = certificate.cert
      return certificate
    },
    newer: async () => {
      const certificate = load()
      if (certificate.cert === current) return undefined
      current = certificate.cert
      return certificate
    },
  }
}

/** @throws SetupProblem */
export function readOwn(files: CertificateFiles, now: Instant): { cert: string; key: string } {
  const [cert, key] = [readPem(files.certificate), readPem(files.key)]
  const [certificate, privateKey] = [parseCertificate(files.certificate, cert), parsePrivateKey(files.key, key)]
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new SetupProblem(`${files.key} is not the key of ${files.certificate}`, 'name two files that belong together')
  }
  requireValid(files.certificate, certificate, now, 'renew it, or set the clock of this machine')
  requireUsable(files.certificate, cert, key)
  return { cert, key }
}

/** What OpenSSL does not take, such as a chain that is half written, must be known before a client comes. @throws SetupProblem */
function requireUsable(file: string, cert: string, key: string): void {
  try {
    createSecureContext({ cert, key })
  } catch (cause) {
    const why = (cause as Error).message
    throw new SetupProblem(`${file} cannot be shown (${why})`, 'put the certificate and then its chain there, whole', {
      cause,
    })
  }
}

/** @throws SetupProblem */
export function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const why = (error as Error).message
    throw new SetupProblem(`${file} cannot be read (${why})`, 'put the file there, readable for this user', {
      cause: error,
    })
  }
}

/** The first of the file, which is the server's or the authority's own. @throws SetupProblem */
export function parseCertificate(file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new SetupProblem(`${file} holds no certificate`, 'it must be PEM: -----BEGIN CERTIFICATE-----', {
      cause: error,
    })
  }
}

/** @throws SetupProblem */
export function parsePrivateKey(file: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new SetupProblem(
      `${file} holds no private key`,
      'it must be PEM, not encrypted: -----BEGIN PRIVATE KEY-----',
      {
        cause: error,
      },
    )
  }
}

/** @throws SetupProblem */
export function requireValid(file: string, certificate: X509Certificate, now: Instant, hint: string): void {
  if (now > certificate.validToDate.getTime()) {
    throw new SetupProblem(`${file} has expired on ${certificate.validToDate.toISOString()}`, hint)
  }
  if (now < certificate.validFromDate.getTime()) {
    throw new SetupProblem(`${file} is not valid before ${certificate.validFromDate.toISOString()}`, hint)
  }
}
