/** A local proxy for one database, as `proxy db` and `db connect` start it. */
import { SetupProblem } from '../core/setup-problem.ts'
import { type LocalProxy, listenForPostgres, localHost } from '../proxy/local.ts'
import { openSession } from './api.ts'
import { requireDatabase } from './db-resource.ts'
import { type SessionWanted, sessionOpener } from './db-session.ts'
import { Problem } from './problem.ts'
import { debug } from './term.ts'

interface LocalWanted extends Omit<SessionWanted, 'profile'> {
  readonly profile: string | undefined
  readonly port: number
}

/** The database and the login are asked for first: what is wrong is told before anything listens. @throws Problem */
export async function startLocalProxy({ port, ...wanted }: LocalWanted): Promise<LocalProxy> {
  const session = await openSession(wanted.profile)
  await requireDatabase(session, wanted.name)
  // "config use" in another terminal must not change whom this one is.
  const open = sessionOpener({ ...wanted, profile: session.name })
  try {
    return await listenForPostgres(port, { open, tell: debug })
  } catch (error) {
    if (error instanceof SetupProblem) throw new Problem('failed', error.message, error.hint, { cause: error })
    throw error
  }
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
  return Object.entries(parts)
    .map(([key, value]) => `${key}=${word(value)}`)
    .join(' ')
}

const word = (value: string) => (/^[\w.-]+$/.test(value) ? value : `'${value.replaceAll(/[\\']/g, '\\$&')}'`)
