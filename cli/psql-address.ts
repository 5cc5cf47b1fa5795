/** Where a Postgres client reaches a database with no helper, as libpq says it. */
import { existsSync } from 'node:fs'
import type { Profile } from './profiles.ts'
import { whereIs } from './proxy-name.ts'

/** In libpq's words, in its order. */
export type ConnectionParts = Readonly<Record<string, string>>

interface Given {
  readonly name: string
  readonly user: string
  readonly database: string
}

/** @throws Problem where the proxy is known by an address alone */
export function connectionParts(profile: string, known: Profile, { name, user, database }: Given): ConnectionParts {
  const reached = whereIs(name, profile, known)
  return {
    host: reached.name,
    ...(reached.isHere && { hostaddr: reached.address }),
    port: String(reached.port),
    user,
    dbname: database,
    sslmode: 'verify-full',
    sslrootcert: reached.authority ?? systemRoots(),
  }
}

/** libpq has known `system` since version 16, and takes a file in every one. */
const bundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem']
const systemRoots = (): string => bundles.find((file) => existsSync(file)) ?? 'system'

/** As a connection string has them. */
export const inLibpqWords = (parts: ConnectionParts): string =>
  Object.entries(parts)
    .map(([key, value]) => `${key}=${word(value)}`)
    .join(' ')

const word = (value: string) => (/^[\w.-]+$/.test(value) ? value : `'${value.replaceAll(/[\\']/g, '\\$&')}'`)
