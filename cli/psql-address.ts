/** Where a Postgres client reaches a database with no helper: below the proxy's name, which the certificate must speak for. */
import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { localHost } from '../proxy/local.ts'
import { isLoopback, parseAddress } from './address.ts'
import { keepAuthority } from './db-certificate.ts'
import { Problem } from './problem.ts'
import type { Profile } from './profiles.ts'

/** In libpq's words, in its order. */
export type ConnectionParts = Readonly<Record<string, string>>

interface Given {
  readonly name: string
  readonly user: string
  readonly database: string
}

/** @throws Problem where the proxy is known by an address alone */
export function connectionParts(
  profile: string,
  { proxy, ca }: Profile,
  { name, user, database }: Given,
): ConnectionParts {
  const address = parseAddress(proxy)
  const isHere = isLoopback(address)
  if (isIP(address.host) !== 0 && !isHere) {
    throw new Problem(
      'failed',
      `the proxy is known here by its address ${address.host} alone, and databases are reached by a name below its own`,
      'sallyport login with the name of the proxy',
    )
  }
  return {
    host: `${name}.${isHere ? 'localhost' : address.host}`,
    // Not every resolver knows that what lies below localhost is this machine (RFC 6761).
    ...(isHere && { hostaddr: isIP(address.host) === 0 ? localHost : address.host }),
    port: String(address.port),
    user,
    dbname: database,
    sslmode: 'verify-full',
    sslrootcert: ca === undefined ? systemRoots() : keepAuthority(profile, ca),
  }
}

/** libpq has known `system` since version 16, and takes a file in every one. */
const bundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem']
const systemRoots = (): string => bundles.find((file) => existsSync(file)) ?? 'system'
