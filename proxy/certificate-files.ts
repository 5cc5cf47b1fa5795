/** The certificates that proxy.yaml names for the proxy itself: read at the start, and again when their files have changed. */
import { X509Certificate } from 'node:crypto'
import type { Instant } from '../core/model.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import {
  type Book,
  type CertificateFor,
  compileBook,
  type Entry,
  kindOf,
  namesOf,
  type Twice,
} from './certificate-book.ts'
import { type Certificates, readOwn, type ServerCertificate } from './certificates.ts'
import type { CertificateFiles, Settings } from './config.ts'
import type { Expiries } from './expiry.ts'
import type { Log } from './log.ts'

/** `label`: where they are named. */
export interface NamedFiles extends CertificateFiles {
  readonly label: string
}

/** The first is shown where no name decides. */
export const filesOf = ({
  certificate,
  certificates,
}: Pick<Settings, 'certificate' | 'certificates'>): NamedFiles[] => [
  ...(certificate ? [{ ...certificate, label: 'cert' }] : []),
  ...certificates.map((files, at) => ({ ...files, label: `certificates[${at}]` })),
]

/** @throws SetupProblem */
export function readEntry(files: NamedFiles, now: Instant): Entry {
  const { cert, key } = readOwn(files, now)
  return { label: files.label, cert, key, leaf: new X509Certificate(cert) }
}

export const tellTwice = ({ name, first, second }: Twice): string =>
  `${second.label} speaks for ${name} with a key of the kind of ${first.label} (${kindOf(first.leaf)}): of two, one would never be shown`

interface Needs {
  readonly now: () => Instant
  readonly log: Log
  readonly expiries: Expiries
}

export interface FileCertificates extends Certificates {
  readonly certificateFor: CertificateFor
}

/** `files`: one at the least. */
export function certificatesOfFiles(files: readonly NamedFiles[], needs: Needs): FileCertificates {
  const reading = new Reading(files, needs)
  return {
    first: async () => reading.first(),
    newer: async () => reading.newer(),
    certificateFor: (name) => reading.certificateFor(name),
  }
}

class Reading {
  readonly #files: readonly NamedFiles[]
  readonly #needs: Needs
  readonly #entries = new Map<string, Entry>()
  /** What is wrong with those whose last certificate is kept. */
  readonly #wrong = new Map<string, string>()
  #book: Book = compileBook([])

  constructor(files: readonly NamedFiles[], needs: Needs) {
    this.#files = files
    this.#needs = needs
  }

  certificateFor(name: string): ServerCertificate | undefined {
    return this.#book.certificateFor(name)
  }

  /** @throws SetupProblem */
  first(): ServerCertificate {
    for (const files of this.#files) this.#keep(readEntry(files, this.#needs.now()))
    const [twice] = this.#compile().twice
    if (twice) throw new SetupProblem(tellTwice(twice), 'leave one of them out')
    return this.#base()
  }

  /** Each for itself: one that is half written keeps only itself back. */
  newer(): ServerCertificate | undefined {
    const changed = this.#files.filter((files) => this.#reread(files))
    if (changed.length === 0) return undefined
    for (const twice of this.#compile().twice) this.#tell(twice.second.label, tellTwice(twice))
    return this.#base()
  }

  #reread(files: NamedFiles): boolean {
    try {
      const entry = readEntry(files, this.#needs.now())
      this.#wrong.delete(files.label)
      const { cert, key } = this.#entries.get(files.label) ?? {}
      if (entry.cert === cert && entry.key === key) return false
      this.#keep(entry)
      return true
    } catch (error) {
      this.#tell(files.label, (error as Error).message)
      return false
    }
  }

  #keep(entry: Entry): void {
    this.#entries.set(entry.label, entry)
    this.#needs.expiries.set(entry.label, entry.cert)
  }

  /** Once, until something else is wrong with it. */
  #tell(label: string, why: string): void {
    if (this.#wrong.get(label) === why) return
    this.#wrong.set(label, why)
    const message = 'certificate files cannot be used: the certificate before stays'
    this.#needs.log({ level: 'error', message, certificate: label, detail: why })
  }

  #compile(): Book {
    this.#book = compileBook([...this.#entries.values()])
    return this.#book
  }

  /** What a client without a name sees: the first file's, with the other kind of key where that has the same name. */
  #base(): ServerCertificate {
    const { cert, key, leaf } = this.#entries.values().next().value as Entry
    const [name] = namesOf(leaf)
    return (name === undefined ? undefined : this.#book.certificateFor(name)) ?? { cert, key }
  }
}
