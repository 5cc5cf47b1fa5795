import { join } from 'node:path'
import { eq, sql } from 'drizzle-orm'
import { afterAll, afterEach, expect, test } from 'vitest'
import { storedPorts } from '../../storage/ports.ts'
import { credentials, sessions, spent } from '../../storage/schema.ts'
import { openDatabase, openSqlite, type SqliteStore } from '../../storage/sqlite.ts'
import { rowsOf } from '../../storage/store.ts'
import { newFolder, remove } from '../runtime/launch.ts'
import { newPerson } from './contract/world.ts'
import { contract } from './contract.ts'
import { migrations } from './migration-files.ts'

const opened: SqliteStore[] = []
const folder = newFolder()
let files = 0

function open(path: string) {
  const store = openDatabase(path, migrations)
  opened.push(store)
  return { store, ports: storedPorts(store) }
}

afterEach(() => {
  for (const store of opened.splice(0)) store.close()
})
afterAll(() => remove(folder))

contract('node:sqlite in memory', async () => open(':memory:'))
contract('node:sqlite on a file', async () => open(join(folder, `${files++}.db`)))

test('openSqlite sets what durability and integrity rest on', () => {
  const { store } = open(join(folder, `${files++}.db`))
  const pragma = (name: string) => Object.values(store.raw.prepare(`pragma ${name}`).get() ?? {})[0]
  expect(pragma('journal_mode')).toBe('wal')
  expect(pragma('synchronous')).toBe(2)
  expect(pragma('foreign_keys')).toBe(1)
})

test('atomically keeps two columns of one name apart', async () => {
  const world = open(':memory:')
  const { credential, session } = await newPerson(world)
  const { db, atomically } = world.store
  const joined = db
    .select({ session: sessions.id, credential: credentials.id })
    .from(sessions)
    .innerJoin(credentials, eq(sessions.credentialId, credentials.id))
  const [rows] = await atomically([joined])
  expect(rowsOf(rows)).toEqual([{ session: session.id, credential: credential.id }])
})

test('atomically: of batches that share a commit, one that fails undoes itself alone', async () => {
  const { db, atomically } = open(':memory:').store
  const add = (...ids: string[]) => {
    const [first, ...others] = ids.map((id) => db.insert(spent).values({ id, expiresAt: 1 }))
    return atomically([first!, ...others])
  }
  const outcomes = await Promise.allSettled([add('a', 'b'), add('c', 'a'), add('d'), add('d', 'e'), add('f')])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
  expect((await db.select().from(spent)).map(({ id }) => id).sort()).toEqual(['a', 'b', 'd', 'f'])
})

test('atomically: a single read between batches sees whole ones only', async () => {
  const { db, atomically } = open(':memory:').store
  const seen: number[] = []
  const pair = (i: number) =>
    atomically([
      db.insert(spent).values({ id: `${i} a`, expiresAt: 1 }),
      db.insert(spent).values({ id: `${i} b`, expiresAt: 1 }),
    ])
  await Promise.all(Array.from({ length: 50 }, (_, i) => [pair(i), db.$count(spent).then((n) => seen.push(n))]).flat())
  expect(seen.every((count) => count % 2 === 0)).toBe(true)
})

test('a statement with more parameters than D1 takes is refused here too', async () => {
  const { db } = open(':memory:').store
  const values = sql.join(
    Array.from({ length: 101 }, (_, i) => sql`${i}`),
    sql`, `,
  )
  const refused = db.select().from(spent).where(sql`${spent.id} in (${values})`)
  await expect(refused).rejects.toMatchObject({ cause: expect.any(RangeError) })
})

test('a lock of another process is waited for, off the thread', async () => {
  const path = join(folder, `${files++}.db`)
  const { db, atomically } = open(path).store
  const other = openSqlite(path)
  opened.push(other)
  other.raw.exec('begin immediate')
  const write = atomically([db.insert(spent).values({ id: 'a', expiresAt: 1 })])
  let turns = 0
  const ticking = setInterval(() => turns++, 5)
  await new Promise((next) => setTimeout(next, 300))
  clearInterval(ticking)
  other.raw.exec('commit')
  await write
  expect(await db.$count(spent)).toBe(1)
  expect(turns).toBeGreaterThan(3)
})
