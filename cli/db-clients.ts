/** The usual client of each kind of database, and how it is told of the local proxy. */
import type { DbProtocol } from '../core/access/db.ts'
import { localHost } from '../proxy/local.ts'
import { Problem } from './problem.ts'
import { inLibpqWords } from './psql-address.ts'
import { quoted } from './quoted.ts'

export interface Target {
  readonly name: string
  readonly port: number
  readonly user: string
  readonly database: string
}

export interface DbClient {
  /** The first that is installed. */
  readonly programs: readonly [string, ...string[]]
  /** How to get it. */
  readonly from: string
  /** Whether it says in its own words why no session was opened. */
  readonly saysWhy: boolean
  /** `passedOn`: what the person wants of it beside. */
  args(target: Target, passedOn: readonly string[]): string[]
}

export const dbClients: { readonly [protocol in DbProtocol]: DbClient } = {
  postgres: {
    programs: ['psql'],
    from: 'Debian: apt install postgresql-client',
    saysWhy: true,
    args: (target, passedOn) => [connectionString(target), ...passedOn],
  },
  mysql: {
    programs: ['mariadb', 'mysql'],
    from: 'Debian: apt install mariadb-client',
    saysWhy: false,
    // Files of settings are named by its very first option, and of two hosts the last counts.
    args: ({ port, user, database }, passedOn) => [
      ...passedOn,
      `--host=${localHost}`,
      `--port=${port}`,
      `--user=${user}`,
      `--database=${database}`,
    ],
  },
  redis: {
    programs: ['redis-cli'],
    from: 'Debian: apt install redis-tools',
    saysWhy: false,
    args: ({ port, user, database }, passedOn) => [
      '-h',
      localHost,
      '-p',
      String(port),
      // It signs in only where it has a password, and without a name as this one, as it did before there were names.
      ...(user === 'default' ? [] : ['--user', user]),
      // Roles may call it something else, which redis-cli would take for 0.
      ...(/^\d{1,5}$/.test(database) ? ['-n', database] : []),
      ...passedOn,
    ],
  },
  mongodb: {
    programs: ['mongosh'],
    from: 'https://www.mongodb.com/docs/mongodb-shell/install/',
    saysWhy: false,
    // The others of a replica set would be dialled without the proxy.
    args: ({ port, database }, passedOn) => [
      `mongodb://${localHost}:${port}/${encodeURIComponent(database)}?directConnection=true`,
      ...passedOn,
    ],
  },
}

export const missingClient = ({ programs, from }: DbClient): Problem =>
  new Problem(
    'failed',
    `${programs.join(' and ')} ${programs.length === 1 ? 'is' : 'are'} not installed`,
    `install ${programs[0]} (${from}), or use another program with "sallyport proxy db"`,
  )

/** As a shell takes it. */
export function clientLine(protocol: DbProtocol, target: Target): string {
  const { programs, args } = dbClients[protocol]
  return [programs[0], ...args(target, [])].map(quoted).join(' ')
}

/**
 * For libpq. `host` is what ~/.pgpass and messages name, `hostaddr` where it connects. Without TLS on loopback: the tunnel has its
 * own, and the database's may stand behind it.
 */
function connectionString({ name, port, user, database }: Target): string {
  const parts = { host: name, hostaddr: localHost, port: String(port), user, dbname: database, sslmode: 'disable' }
  return inLibpqWords(parts)
}
