/** Policy documents as people keep them: files of YAML or JSON, several in one. */
import { dirname } from 'node:path'
import { stringify } from 'yaml'
import { type Document, parseDocument } from '../core/access/document.ts'
import { type Path, printable, showPath } from '../core/access/place.ts'
import { type Lined, lineAt, readYaml } from '../proxy/yaml.ts'
import { withCertificates } from './certificate-files.ts'
import { table } from './document-table.ts'

/** A document and where it begins. */
export interface DocumentRead {
  readonly document: Document
  readonly file: string
  readonly line: number
}

export interface FileProblem {
  readonly file: string
  readonly line: number
  /** Such as `spec.allow.db_users[2]`; empty where it is the text as a whole. */
  readonly field: string
  readonly message: string
}

export type DocumentsRead =
  | { readonly documents: readonly DocumentRead[] }
  | { readonly problems: readonly FileProblem[] }

const longestText = 1_048_576
/** As many as the edge takes at once. */
export const mostInOne = 100
const mostProblems = 100

/** `FILE:LINE: field: message`. */
export const showProblem = ({ file, line, field, message }: FileProblem): string =>
  `${printable(file, 4096)}:${line}: ${field === '' ? '' : `${field}: `}${printable(message, 1024)}`

/**
 * All documents of a file, or all problems in it in the order of its lines. Empty documents are skipped; a list stands
 * for the documents in it, as `printDocuments` writes JSON. `folder`: where paths of certificates begin.
 */
export function readDocuments(file: string, text: string, folder = dirname(file)): DocumentsRead {
  const reading: Reading = { file, folder, documents: [], problems: [] }
  if (Buffer.byteLength(text) > longestText) tell(reading, 1, '', 'too large: at most 1 MiB')
  else readStream(reading, text)
  const { documents, problems } = reading
  if (problems.length === 0 && documents.length === 0) tell(reading, 1, '', 'no document in it')
  return problems.length > 0 ? { problems: problems.toSorted((a, b) => a.line - b.line) } : { documents }
}

interface Reading {
  readonly file: string
  readonly folder: string
  readonly documents: DocumentRead[]
  readonly problems: FileProblem[]
}

const tell = ({ file, problems }: Reading, line: number, field: string, message: string): void => {
  if (problems.length < mostProblems) problems.push({ file, line, field, message })
}

function readStream(reading: Reading, text: string): void {
  const places = new Map<string, number>()
  let count = 0
  for (const { value, complaints } of readYaml(text)) {
    for (const { line, message } of complaints) tell(reading, line, '', message)
    const values = complaints.length > 0 ? [] : valuesOf(value)
    // Empty ones count too: they cost time.
    count += Math.max(values.length, 1)
    if (count > mostInOne) {
      tell(
        reading,
        value?.line ?? 1,
        '',
        `more than ${mostInOne} documents, which are as many as one tap approves: put the rest into another file`,
      )
      return
    }
    for (const one of values) readOne(reading, places, one)
  }
}

function valuesOf(value: Lined | undefined): readonly Lined[] {
  if (!value) return []
  return Array.isArray(value.json) ? [...value.parts.values()] : [value]
}

function readOne(reading: Reading, places: Map<string, number>, value: Lined): void {
  const tellAt = (path: Path, message: string) => tell(reading, lineAt(value, path), showPath(path), message)
  const { json, failures } = withCertificates(value.json, reading.folder)
  const parsed = parseDocument(json)
  if (parsed.kind === 'invalid') {
    for (const { path, message } of parsed.problems) tellAt(path, failures.get(showPath(path)) ?? message)
    return
  }
  const { kind, metadata } = parsed.value
  const first = places.get(`${kind} ${metadata.name}`)
  if (first !== undefined)
    tellAt(['metadata', 'name'], `the ${kind} \`${metadata.name}\` stands twice: first at line ${first}`)
  places.set(`${kind} ${metadata.name}`, first ?? lineAt(value, ['metadata', 'name']))
  reading.documents.push({ document: parsed.value, file: reading.file, line: value.line })
}

/** As `get` prints them. What is printed as YAML or JSON can be read again, also by tools that read YAML 1.1. */
export function printDocuments(documents: readonly Document[], format: 'yaml' | 'json' | 'text'): string {
  if (format === 'json') return `${JSON.stringify(documents, null, 2)}\n`
  if (format === 'text') return table(documents)
  const print = (document: Document) => stringify(document, { schema: 'core', compat: 'yaml-1.1', lineWidth: 0 })
  return documents.map(print).join('---\n')
}
