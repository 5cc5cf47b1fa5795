/** The store on node:sqlite, which Node 24, Deno and Bun all have. One file, any number of processes. */
import { existsSync, statSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import type { Duration } from '../core/model.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import * as schema from './schema.ts'
import { build, type Store } from './store.ts'

export interface SqliteStore extends Store {
  readonly raw: DatabaseSync
  close(): void
}

interface Query {
  readonly sql: string
  readonly params: readonly unknown[]
  readonly method: string
}
interface Rows {
  rows: unknown[]
}
interface Waiting {
  readonly queries: readonly Query[]
  readonly resolve: (rows: Rows[]) => void
  readonly reject: (error: unknown) => void
}

/** How long a lock of another process is waited for. */
const patience: Duration = 5000
/** D1's limit; a statement that only SQLite takes must fail in every test. */
const mostParameters = 100
const statementsKept = 256
const mostInOneCommit = 64

export function openSqlite(path: string): SqliteStore {
  const raw = new DatabaseSync(path)
  raw.exec(`pragma busy_timeout = ${patience}`)
  waitForLock(() => raw.exec('pragma journal_mode = wal'))
  // FULL: a spent ticket or an ended session must not come back after a power cut.
  raw.exec('pragma synchronous = full; pragma foreign_keys = on')
  const run = runner(raw)
  const batch = sharedCommits(raw, run)
  // SQLite waits on the thread: beyond this, whileBusy waits off it.
  raw.exec('pragma busy_timeout = 20')
  return {
    raw,
    close: () => raw.close(),
    db: drizzle((sql, params, method) => whileBusy(() => run({ sql, params, method })), { schema }),
    atomically: async (statements) => {
      const built = statements.map(build)
      const answers = await batch(
        built.map(({ sql, params, fields }) => ({ sql, params, method: fields.length > 0 ? 'all' : 'run' })),
      )
      return built.map(({ read }, i) => read(answers[i]))
    },
  }
}

/** Statements are kept by their text: nearly all of it is made once (store.ts), so there are far fewer than are kept. Rows come as arrays: by name, two columns called `id` would become one. */
function runner(raw: DatabaseSync): (query: Query) => Rows {
  const kept = new Map<string, StatementSync>()
  const prepare = (sql: string) => {
    const found = kept.get(sql)
    if (found) return found
    const statement = raw.prepare(sql)
    statement.setReturnArrays(true)
    if (kept.size === statementsKept) kept.clear()
    kept.set(sql, statement)
    return statement
  }
  return ({ sql, params, method }) => {
    if (params.length > mostParameters) throw new RangeError(`More than ${mostParameters} parameters: D1 would refuse`)
    const statement = prepare(sql)
    const values = params as SQLInputValue[]
    if (method === 'run') {
      statement.run(...values)
      return { rows: [] }
    }
    // all, never get: a half-read RETURNING would stay open.
    const rows: unknown[] = statement.all(...values)
    return { rows: method === 'get' ? (rows[0] as unknown[]) : rows }
  }
}

/** Kept prepared like any other: SQLite would read their text anew at each commit. */
const control = (sql: string): Query => ({ sql, params: [], method: 'run' })
const [begin, commit] = [control('begin immediate'), control('commit')]
const [savepoint, release] = [control('savepoint one'), control('release one')]

/**
 * Batches that come together share a COMMIT, so one fsync; each has its savepoint and fails alone. There is no
 * await between BEGIN and COMMIT: another statement of this process would slip into the transaction.
 */
function sharedCommits(raw: DatabaseSync, run: (query: Query) => Rows) {
  let queue: Waiting[] = []
  const flush = async () => {
    const waiting = queue
    queue = []
    try {
      // What was busy was rolled back, so it may be tried again. Only what is on disk is acknowledged.
      const acknowledge = await whileBusy(() => transact(raw, run, waiting))
      for (const each of acknowledge) each()
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
  // A commit is one fsync however many share it: wait on, turn by turn, while others still join.
  const flushWhenQuiet = (before: number) => {
    if (queue.length === before || queue.length >= mostInOneCommit) void flush()
    else setImmediate(flushWhenQuiet, queue.length)
  }
  return (queries: readonly Query[]) =>
    new Promise<Rows[]>((resolve, reject) => {
      queue.push({ queries, resolve, reject })
      if (queue.length === 1) setImmediate(flushWhenQuiet, 0)
    })
}

function transact(raw: DatabaseSync, run: (query: Query) => Rows, waiting: readonly Waiting[]): (() => void)[] {
  // Between processes: queue here, not half way.
  run(begin)
  try {
    const acknowledge = waiting.map((one) => inSavepoint(raw, run, one))
    run(commit)
    return acknowledge
  } catch (error) {
    if (raw.isTransaction !== false) raw.exec('rollback')
    throw error
  }
}

function inSavepoint(
  raw: DatabaseSync,
  run: (query: Query) => Rows,
  { queries, resolve, reject }: Waiting,
): () => void {
  run(savepoint)
  try {
    const rows = queries.map(run)
    run(release)
    return () => resolve(rows)
  } catch (error) {
    // SQLite undid everything by itself (a full disk, say): then nobody in this commit is acknowledged.
    if (isBusy(error) || raw.isTransaction === false) throw error
    raw.exec('rollback to one; release one')
    return () => reject(error)
  }
}

/** SQLITE_BUSY and its extended codes. Deno leaves errcode out of what exec() throws, so the message is asked too. */
export const isBusy = (error: unknown): boolean =>
  ((error as { errcode?: number }).errcode ?? 0) % 256 === 5 || /^database is locked/.test((error as Error).message)

async function whileBusy<T>(work: () => T): Promise<T> {
  for (const deadline = Date.now() + patience; ; ) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error
      await new Promise((next) => setTimeout(next, 1 + Math.random() * 10))
    }
  }
}

/** Turning WAL on takes an exclusive lock and may answer SQLITE_BUSY without waiting for busy_timeout. */
export function waitForLock<T>(work: () => T): T {
  for (const deadline = Date.now() + patience; ; ) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + Math.random() * 20)
    }
  }
}

export interface Migration {
  /** The file's name, as wrangler keeps it too. */
  readonly name: string
  readonly sql: string
}

/** Looks before it writes: a file that is damaged, foreign or newer is left alone. @throws SetupProblem */
export function openDatabase(path: string, migrations: readonly Migration[]): SqliteStore {
  try {
    inspect(path, migrations)
    return openAndMigrate(path, migrations)
  } catch (error) {
    if (!isBusy(error)) throw error
    const hint = 'stop the program that holds it, such as a backup or a database shell'
    throw new SetupProblem(`${path} is locked by another program`, hint, { cause: error })
  }
}

function openAndMigrate(path: string, migrations: readonly Migration[]): SqliteStore {
  const store = openSqlite(path)
  try {
    migrate(store.raw, migrations)
    return store
  } catch (error) {
    store.close()
    if (isBusy(error)) throw error
    const hint = 'nothing was changed: run the version before this one, and report this'
    throw new SetupProblem(`the migrations failed (${(error as Error).message})`, hint, { cause: error })
  }
}

function inspect(path: string, migrations: readonly Migration[]): void {
  if (!existsSync(path) || statSync(path).size === 0) return
  let raw: DatabaseSync | undefined
  try {
    raw = new DatabaseSync(path, { readOnly: true })
    raw.exec(`pragma busy_timeout = ${patience}`)
    requireOurs(raw, migrations)
    if (statSync(path).size < largestQuickCheck) requireWhole(raw)
  } catch (error) {
    if (error instanceof SetupProblem || isBusy(error)) throw error
    throw new SetupProblem(
      `${path} is damaged or no SQLite database`,
      'restore it from a backup, or move it away to begin anew',
      { cause: error },
    )
  } finally {
    raw?.close()
  }
}

/** Reading more would hold up a start for seconds; damage there is told when the page is read. */
const largestQuickCheck = 256 * 1024 * 1024

function requireWhole(raw: DatabaseSync): void {
  const [row] = raw.prepare('pragma quick_check(1)').all()
  if (row?.['quick_check'] !== 'ok') throw new Error(String(row?.['quick_check']))
}

function requireOurs(raw: DatabaseSync, migrations: readonly Migration[]): void {
  const tables = raw.prepare("select name from sqlite_schema where type = 'table'").all()
  if (tables.length === 0) return
  if (!tables.some((table) => table['name'] === 'd1_migrations')) {
    throw new SetupProblem('the database is not one of Sallyport', 'set SALLYPORT_HOME to a folder of its own')
  }
  const known = new Set(migrations.map(({ name }) => name))
  const newer = appliedTo(raw).find((name) => !known.has(name))
  if (newer !== undefined) {
    throw new SetupProblem(
      `the database was written by a newer version (${newer})`,
      'install that version or a later one',
    )
  }
}

const appliedTo = (raw: DatabaseSync): string[] =>
  raw
    .prepare('select name from d1_migrations')
    .all()
    .map((row) => String(row['name']))

/** In the table that wrangler keeps for D1, so that both databases are looked after alike. One transaction for all. */
function migrate(raw: DatabaseSync, migrations: readonly Migration[]): void {
  // Off: a table that drizzle-kit rebuilds would lose what refers to it. A no-op inside a transaction, so before it.
  waitForLock(() => raw.exec('pragma foreign_keys = off; begin immediate'))
  try {
    raw.exec(migrationsTable)
    const applied = new Set(appliedTo(raw))
    for (const { name, sql } of migrations.filter((one) => !applied.has(one.name))) {
      raw.exec(sql)
      raw.prepare('insert into d1_migrations (name) values (?)').run(name)
    }
    if (raw.prepare('pragma foreign_key_check').all().length > 0) throw new Error('A migration breaks a foreign key')
    raw.exec('commit')
  } catch (error) {
    if (raw.isTransaction !== false) raw.exec('rollback')
    throw error
  } finally {
    raw.exec('pragma foreign_keys = on')
  }
}

const migrationsTable = `create table if not exists d1_migrations
  (id integer primary key autoincrement, name text unique, applied_at timestamp default current_timestamp not null)`
