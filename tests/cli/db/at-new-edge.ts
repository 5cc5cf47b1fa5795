/** For all tests of one `describe`: a new edge and its proxy from `npm start`, and two people at terminals of it. */
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { missingPostgres, type Postgres, readerPassword, startPostgres } from '../../postgres.ts'
import { type Edge, startEdge } from '../../web/browser.ts'
import { keepCli } from '../run-cli.ts'
import type { Person } from '../tls-edge.ts'
import { adaAndLea, documentsFor, type Terminals } from './terminals.ts'

interface Wanted {
  /** What this machine does not have: then each test is skipped, with this reason. */
  readonly lacking?: string | undefined
  /** Of the commands, beside what this edge needs. */
  readonly env?: Readonly<Record<string, string>>
  /** That the administrator writes. Called before the edge starts. */
  readonly documents: () => string | Promise<string>
  /** Lea's, beside `access`. */
  readonly roles: string
}

interface People {
  readonly edge: Edge
  readonly people: Terminals
  /** The administrator, in the profile of that name, as Lea is in hers. */
  readonly ada: Person
  readonly lea: Person
}

export function atNewEdge({ lacking, env = {}, documents, roles }: Wanted) {
  const cli = keepCli()
  let edge: Edge | undefined
  let opened: Omit<People, 'edge'> | undefined
  const here = (): Edge => {
    if (!edge) throw new Error('the edge is there in tests alone')
    return edge
  }
  const there = () => {
    if (!opened) throw new Error('the people are there in tests alone')
    return opened
  }
  const environment = (more: Readonly<Record<string, string>> = {}) => {
    return { ...cli.env, SALLYPORT_HOME: here().home, LC_ALL: 'C', ...env, ...more }
  }
  beforeAll(async () => {
    if (lacking !== undefined) return
    const written = await documents()
    edge = await startEdge()
    opened = await adaAndLea({ cli, env: environment(), edge, documents: written, roles })
  })
  beforeEach((context) => {
    if (lacking !== undefined) context.skip(lacking)
  })
  afterAll(async () => {
    cli.end()
    await edge?.end()
  })
  return {
    cli,
    environment,
    get edge() {
      return here()
    },
    get people() {
      return there().people
    },
    get ada() {
      return there().ada
    },
    get lea() {
      return there().lea
    },
  }
}

/** With a real PostgreSQL behind it, as the database `orders`: each session takes a tap. */
export function atNewEdgeWithPostgres() {
  let postgres: Postgres | undefined
  afterAll(() => postgres?.stop())
  return atNewEdge({
    lacking: missingPostgres(),
    env: { PGPASSWORD: readerPassword },
    documents: async () => {
      postgres = await startPostgres()
      return documentsFor({ orders: postgres.port }, { tap: true })
    },
    roles: 'db-reader',
  })
}
