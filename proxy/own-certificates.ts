/** What the proxy shows under its own names: files, certificates by ACME, or what this machine's authority issues. */

import type { Duration } from '../core/model.ts'
import { type Acme, openAcme } from './acme/acme.ts'
import { type CertificateFor, firstOf } from './certificate-book.ts'
import { certificatesOfFiles, filesOf } from './certificate-files.ts'
import type { Certificates, ServerCertificate } from './certificates.ts'
import type { Settings } from './config.ts'
import type { World } from './exchange.ts'
import type { Expiries } from './expiry.ts'
import { localCertificates } from './local-ca.ts'
import { certificateNames } from './routes.ts'

export interface OwnCertificates {
  /** What is shown where no name decides. */
  readonly certificates: Certificates
  readonly certificateFor: CertificateFor
  readonly acme: Acme | undefined
  readonly expiries: Expiries
}

/** `ttl`: of what this machine's authority issues. @throws SetupProblem */
export async function openOwnCertificates(
  settings: Settings,
  world: World,
  expiries: Expiries,
  ttl?: Duration,
): Promise<OwnCertificates> {
  const { acme: wanted, home } = settings
  const files = filesOf(settings)
  const ofFiles =
    files.length > 0 ? certificatesOfFiles(files, { now: world.now, log: world.log, expiries }) : undefined
  const acme = wanted && (await openAcme(wanted, { world, home, expiries }))
  const none: CertificateFor = () => undefined
  const certificates =
    ofFiles ??
    telling(await localCertificates(world, home, certificateNames(settings), ttl), 'local authority', expiries)
  // A certificate that was ordered for a name is closer to it than a wildcard of a file.
  return {
    certificates,
    certificateFor: firstOf(acme?.certificateFor ?? none, ofFiles?.certificateFor ?? none),
    acme,
    expiries,
  }
}

/** Keeps book of until when they are good. */
export function telling(certificates: Certificates, label: string, expiries: Expiries): Certificates {
  const told = <C extends ServerCertificate | undefined>(certificate: C): C => {
    const [cert] = certificate ? [certificate.cert].flat() : []
    if (cert !== undefined) expiries.set(label, cert)
    return certificate
  }
  return {
    ...certificates,
    first: async () => told(await certificates.first()),
    newer: async () => told(await certificates.newer()),
  }
}
