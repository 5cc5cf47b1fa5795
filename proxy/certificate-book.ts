/** Which certificate is shown under a name: by the names that stand in each, an exact one before a wildcard. */
import type { X509Certificate } from 'node:crypto'
import { normaliseSni } from '../core/route/name.ts'
import type { ServerCertificate } from './certificates.ts'

/** `name` as it is routed: lower case, no trailing dot. undefined: none of these is for it. The same object as long as it is the same certificate. */
export type CertificateFor = (name: string) => ServerCertificate | undefined | Promise<ServerCertificate | undefined>

/** Whoever answers first, in this order. */
export const firstOf =
  (...choices: readonly CertificateFor[]): CertificateFor =>
  async (name) => {
    for (const choose of choices) {
      const certificate = await choose(name)
      if (certificate) return certificate
    }
    return undefined
  }

export interface Entry {
  /** Where its files are named: in messages, and as a metric's label. */
  readonly label: string
  readonly leaf: X509Certificate
  readonly cert: string
  readonly key: string
}

/** Two certificates of one name and one kind of key: the second is never shown. */
export interface Twice {
  readonly name: string
  readonly first: Entry
  readonly second: Entry
}

export interface Book {
  readonly certificateFor: (name: string) => ServerCertificate | undefined
  readonly twice: readonly Twice[]
}

/** An RSA certificate and one with ECDSA of the same name are shown as one: OpenSSL takes the one whose signatures the client reads. */
export function compileBook(entries: readonly Entry[]): Book {
  const twice: Twice[] = []
  const byName = new Map<string, Map<string, Entry>>()
  for (const entry of entries) {
    for (const name of namesOf(entry.leaf)) {
      const kinds = byName.get(name) ?? new Map<string, Entry>()
      const first = kinds.get(kindOf(entry.leaf))
      if (first) twice.push({ name, first, second: entry })
      else byName.set(name, kinds.set(kindOf(entry.leaf), entry))
    }
  }
  const shown = new Map([...byName].map(([name, kinds]) => [name, together([...kinds.values()])]))
  const certificateFor = (name: string) => shown.get(name) ?? shown.get(wildcardOf(name))
  return { certificateFor, twice }
}

const together = (entries: readonly Entry[]): ServerCertificate => ({
  cert: entries.map(({ cert }) => cert),
  key: entries.map(({ key }) => key),
})

/** It stands for one label. */
export const wildcardOf = (name: string): string => `*${name.slice(Math.max(0, name.indexOf('.')))}`

export const kindOf = ({ publicKey }: X509Certificate): string => publicKey.asymmetricKeyType ?? 'unknown'

/** `DNS:a.test, DNS:"what has a comma", IP Address:192.0.2.1`: Node puts into quotes what could be read as several. */
const alternatives = /(?:[^,"]|"(?:[^"\\]|\\.)*")+/g

/** Its DNS names (RFC 6125: not the subject's), as they are routed; a wildcard as `*.example.com`. */
export function namesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  const given = subjectAltName.match(alternatives)?.map((one) => one.trim()) ?? []
  const names = given.flatMap((one) => (one.startsWith('DNS:') ? [one.slice('DNS:'.length)] : []))
  return [...new Set(names.flatMap((name) => asRouted(name) ?? []))]
}

function asRouted(name: string): string | undefined {
  if (!name.startsWith('*.')) return normaliseSni(name)
  const rest = normaliseSni(name.slice(2))
  return rest === undefined ? undefined : `*.${rest}`
}
