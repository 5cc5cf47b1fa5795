/** A local proxy for one database, as `proxy db` and `db connect` start it. */
import { printable } from '../core/access/place.ts'
import type { DbPrincipal } from '../core/access/resource.ts'
import { type LocalProxy, listenForPostgres, localHost } from '../proxy/local.ts'
import { openSession } from './api.ts'
import { listening } from './local-proxy.ts'
import { Problem } from './problem.ts'
import { requirePostgres } from './resource.ts'
import { refusalFor, type SessionWanted, sessionOpener } from './session.ts'
import { debug } from './term.ts'

interface LocalWanted extends Omit<SessionWanted, 'profile' | 'resource'> {
  readonly name: string
  readonly profile: string | undefined
  readonly port: number
  /** As whom and where, if that is settled: clients may then ask for nothing else. */
  readonly principal: Partial<DbPrincipal>
}

/** The database and the login are asked for first: what is wrong is told before anything listens. @throws Problem */
export async function startDatabaseProxy({
  port,
  name,
  principal: settled,
  ...more
}: LocalWanted): Promise<LocalProxy> {
  const session = await openSession(more.profile)
  await requirePostgres(session, name, more.impersonate)
  // "config use" in another terminal must not change whom this one is.
  const wanted = { ...more, resource: { kind: 'db', name }, profile: session.name } as const
  const opener = sessionOpener(wanted)
  const open = async (principal: DbPrincipal, gone: AbortSignal) => {
    const problem = whyNotSettled(settled, principal)
    return problem ? refusalFor(wanted, problem) : opener(principal, gone)
  }
  return listening(listenForPostgres(port, { open, tell: debug }))
}

/** The tap would be for one principal, and the proxy would refuse the other: told before anybody taps. */
function whyNotSettled(settled: Partial<DbPrincipal>, { db_user, db_name }: DbPrincipal): Problem | undefined {
  const pairs = [
    ['user', '--db-user', settled.db_user, db_user],
    ['database', '--db-name', settled.db_name, db_name],
  ] as const
  for (const [what, flag, wanted, asked] of pairs) {
    if (wanted === undefined || wanted === asked) continue
    const shown = printable(asked)
    return new Problem(
      'usage',
      `this local proxy is for the ${what} ${wanted}, not ${shown}`,
      `Connect to ${wanted}, or start another one with ${flag}=${shown}.`,
    )
  }
  return undefined
}

export interface Target {
  readonly name: string
  readonly port: number
  readonly user: string
  readonly database: string
}

/**
 * For libpq. `host` is what ~/.pgpass and messages name, `hostaddr` where it connects. Without TLS on loopback: the tunnel has its
 * own, and the database's may stand behind it.
 */
export function connectionString({ name, port, user, database }: Target): string {
  const parts = { host: name, hostaddr: localHost, port: String(port), user, dbname: database, sslmode: 'disable' }
  return inLibpqWords(parts)
}

/** As a connection string has them. */
export const inLibpqWords = (parts: Readonly<Record<string, string>>): string =>
  Object.entries(parts)
    .map(([key, value]) => `${key}=${word(value)}`)
    .join(' ')

const word = (value: string) => (/^[\w.-]+$/.test(value) ? value : `'${value.replaceAll(/[\\']/g, '\\$&')}'`)
