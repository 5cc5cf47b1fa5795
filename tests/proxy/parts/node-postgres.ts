/** npm's `pg`, as programs use it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** It comes without types. */
interface Client {
  connect(): Promise<void>
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>
  end(): Promise<void>
}
interface Config {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly password?: string | undefined
  /** Whether TLS is the first thing that is spoken. */
  readonly sslnegotiation?: 'direct' | 'postgres'
  readonly ssl: { readonly ca: string; readonly cert: string; readonly key: string; readonly servername: string }
}

const { Client } = createRequire(import.meta.url)('pg') as { readonly Client: new (config: Config) => Client }

/** What `db login` prints, by its words. */
export const partsOf = (where: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...where.matchAll(/(\w+)=(?:'([^']*)'|(\S+))/g)].map(([, name, quoted, bare]) => [name, quoted ?? bare]),
  )

/** One connection by what `db login` has printed, and the rows of one query. */
export async function rowsByPg(
  where: string,
  password: string,
  sslnegotiation: 'direct' | 'postgres',
  query: string,
  values: readonly unknown[] = [],
) {
  const {
    host = '',
    hostaddr = host,
    port,
    user = '',
    dbname = '',
    sslrootcert = '',
    sslcert = '',
    sslkey = '',
  } = partsOf(where)
  const read = (file: string) => readFileSync(file, 'utf8')
  const ssl = { ca: read(sslrootcert), cert: read(sslcert), key: read(sslkey), servername: host }
  const client = new Client({
    host: hostaddr,
    port: Number(port),
    user,
    database: dbname,
    password,
    sslnegotiation,
    ssl,
  })
  await client.connect()
  try {
    return (await client.query(query, values)).rows
  } finally {
    await client.end()
  }
}
