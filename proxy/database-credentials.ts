/** `databases` of proxy.yaml: as whom the proxy lets itself in, so that its clients need no password. */
import { readFileSync } from 'node:fs'
import { fields, listOf, optional, type Read, refined } from '../core/access/fields.ts'
import { into, type Place, quoted, tell } from '../core/access/place.ts'
import { anyText } from '../core/access/text.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { certificatesOf } from './certificates.ts'
import { many } from './config-routes.ts'
import { requirePrivate } from './own-files.ts'

export interface DatabaseEntry {
  readonly resource: string
  readonly users: '*' | readonly string[]
  readonly password_file?: string
  readonly cert?: string
  readonly key?: string
}

export interface DatabaseCredential {
  readonly resource: string
  /** Of the database, or all. */
  readonly users: '*' | ReadonlySet<string>
  /** Paths: they are read when a session begins, so that a new password needs no restart. */
  readonly passwordFile: string | undefined
  readonly certificate: { readonly certificate: string; readonly key: string } | undefined
}

/** What a session is let in with. */
export interface Credential {
  readonly password: string | undefined
  /** PEM. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined
}

const mostEntries = 1000
const mostUsers = 1000

const users: Read<DatabaseEntry['users']> = (json, place) =>
  json === '*'
    ? '*'
    : refined(listOf(anyText, mostUsers), (list, at) => (list.length > 0 ? list : tell(at, 'expected at least one')))(
        json,
        place,
      )

export const databaseEntries: Read<readonly DatabaseEntry[]> = many(
  refined(
    fields<DatabaseEntry>('database', {
      resource: anyText,
      users,
      password_file: optional(anyText),
      cert: optional(anyText),
      key: optional(anyText),
    }),
    (read, place) => {
      if ((read.cert === undefined) !== (read.key === undefined))
        return tell(place, 'cert and key belong together: name both, or neither')
      if (read.cert === undefined && read.password_file === undefined)
        return tell(place, 'expected a password_file, or cert and key')
      return read
    },
  ),
  mostEntries,
  'databases',
)

export const databaseCredential = (read: DatabaseEntry, beside: (path: string) => string): DatabaseCredential => ({
  resource: read.resource,
  users: read.users === '*' ? '*' : new Set(read.users),
  passwordFile: read.password_file === undefined ? undefined : beside(read.password_file),
  certificate:
    read.cert !== undefined && read.key !== undefined
      ? { certificate: beside(read.cert), key: beside(read.key) }
      : undefined,
})

/** What a start could not read, and two that hold for the same user. `place`: of the file. */
export function checkDatabases(databases: readonly DatabaseCredential[], place: Place): void {
  const seen = new Set<string>()
  databases.forEach((one, at) => {
    const here = into(into(place, 'databases'), at)
    for (const user of one.users === '*' ? ['*'] : one.users) {
      const key = `${one.resource} ${user}`
      if (seen.has(key)) tell(into(here, 'users'), `${quoted(user)} of ${one.resource} stands in another entry`)
      seen.add(key)
    }
    try {
      if (one.passwordFile !== undefined) readPassword(one.passwordFile)
    } catch (error) {
      if (!(error instanceof SetupProblem)) throw error
      tell(into(here, 'password_file'), `${error.message}: ${error.hint}`)
    }
  })
}

/** One line. RFC 4013 leaves such a password as it is, so that no two readers differ. @throws SetupProblem */
export function readPassword(file: string): string {
  const [password = '', ...more] = readPrivate(file)
    .replace(/\r?\n$/, '')
    .split('\n')
  if (/^[ -~]{1,1024}$/.test(password) && more.length === 0) return password
  throw new SetupProblem(`${file} holds no password`, 'write one line of printable ASCII')
}

function readPrivate(file: string): string {
  try {
    requirePrivate(file)
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof SetupProblem) throw error
    const why = `${file} cannot be read (${(error as { code?: string }).code})`
    throw new SetupProblem(why, 'put the file there, readable for this user alone', { cause: error })
  }
}

/** The entry that names the user goes before the one for all. @throws SetupProblem where its files cannot be read by now */
export async function credentialFor(
  databases: readonly DatabaseCredential[],
  resource: string,
  user: string,
  now: () => number,
): Promise<Credential | undefined> {
  const own = databases.filter((one) => one.resource === resource)
  const found = own.find((one) => one.users !== '*' && one.users.has(user)) ?? own.find((one) => one.users === '*')
  if (!found) return undefined
  const { passwordFile, certificate } = found
  if (certificate) requirePrivate(certificate.key)
  const read = certificate && (await certificatesOf(certificate, now).first())
  return {
    password: passwordFile === undefined ? undefined : readPassword(passwordFile),
    certificate: read && { cert: String(read.cert), key: String(read.key) },
  }
}
