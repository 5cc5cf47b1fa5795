/** Certificates that a document names by their files are put into it: the edge reads no files. */
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { preferenceKind } from '../core/access/auth-preference.ts'
import { parseCertificates } from '../core/access/pem.ts'
import { type Path, quoted, showPath } from '../core/access/place.ts'
import { type Json, membersOf } from '../core/intent.ts'

const lists = ['attestation_allowed_cas', 'attestation_denied_cas'] as const
const longest = 65_536

export interface WithCertificates {
  readonly json: Json
  /** What is wrong with a file, by the place that names it. */
  readonly failures: ReadonlyMap<string, string>
}

/** `folder`: where relative paths begin. What is no path stays as it is, for the reader of documents. */
export function withCertificates(json: Json, folder: string): WithCertificates {
  const failures = new Map<string, string>()
  const { kind, spec } = membersOf(json)
  const { webauthn } = membersOf(spec)
  if (kind !== preferenceKind) return { json, failures }
  const filled = lists.flatMap((name) => {
    const list = membersOf(webauthn)[name]
    if (!Array.isArray(list)) return []
    return [[name, list.map((entry: Json, at) => fill(entry, folder, ['spec', 'webauthn', name, at], failures))]]
  })
  if (filled.length === 0) return { json, failures }
  const members = { ...membersOf(webauthn), ...Object.fromEntries(filled) }
  return { json: { ...membersOf(json), spec: { ...membersOf(spec), webauthn: members } }, failures }
}

function fill(entry: Json, folder: string, path: Path, failures: Map<string, string>): Json {
  if (typeof entry !== 'string' || entry.includes('-----BEGIN')) return entry
  const read = readCertificates(resolve(folder, entry))
  if ('why' in read) failures.set(showPath(path), `${quoted(entry)}: ${read.why}`)
  return 'why' in read ? entry : read.value
}

function readCertificates(file: string): { readonly value: string } | { readonly why: string } {
  try {
    const stats = statSync(file)
    if (!stats.isFile()) return { why: 'no file' }
    if (stats.size > longest) return { why: `larger than ${longest / 1024} KiB` }
    const parsed = parseCertificates(readFileSync(file, 'utf8'))
    return parsed.kind === 'value' ? parsed : { why: parsed.why }
  } catch (error) {
    return { why: `cannot be read (${(error as { code?: string }).code})` }
  }
}
