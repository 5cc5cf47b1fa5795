/** The server certificate: where it comes from, and when there is a newer one. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import type { Duration, Instant } from '../core/model.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import type { CertificateFiles } from './config.ts'
import type { Log } from './log.ts'

export interface Certificates {
  /** @throws SetupProblem */
  first(): Promise<SecureContextOptions>
  /** undefined: the one in use will do. @throws SetupProblem */
  newer(): Promise<SecureContextOptions | undefined>
  /** A certificate for this server name alone, where an authority is at hand. undefined: it cannot speak for that. */
  issueFor?(serverName: string): Promise<SecureContextOptions | undefined>
}

/**
 * Looks again and again rather than once at the right time: a laptop that slept through that time wakes with a timer that
 * still waits. What fails leaves the certificate in use. Answers how to stop looking.
 */
export function keepFresh(
  certificates: Certificates,
  every: Duration,
  renew: (certificate: SecureContextOptions) => void,
  log: Log,
): () => void {
  const look = async () => {
    const certificate = await certificates.newer()
    if (!certificate) return
    renew(certificate)
    log({ level: 'info', message: 'certificate renewed' })
  }
  const timer = setInterval(() => {
    look().catch((error: Error) => log({ level: 'error', message: `Cannot renew the certificate: ${error.message}` }))
  }, every).unref()
  return () => clearInterval(timer)
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
function readOwn(files: CertificateFiles, now: Instant): { cert: string; key: string } {
  const [cert, key] = [readPem(files.certificate), readPem(files.key)]
  const [certificate, privateKey] = [parseCertificate(files.certificate, cert), parsePrivateKey(files.key, key)]
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new SetupProblem(`${files.key} is not the key of ${files.certificate}`, 'name two files that belong together')
  }
  requireValid(files.certificate, certificate, now, 'renew it, or set the clock of this machine')
  return { cert, key }
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
