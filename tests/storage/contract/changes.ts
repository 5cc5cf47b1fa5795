/** What a verb did to the database, row by row: so a test sees what it should not have done as well. */
import { is } from 'drizzle-orm'
import { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { expect } from 'vitest'
import { Refusal, type RefusalCode } from '../../../core/refusal.ts'
import * as schema from '../../../storage/schema.ts'
import { rowsOf, type Statements, type Store } from '../../../storage/store.ts'
import type { World } from './world.ts'

type Row = Readonly<Record<string, unknown>>

/** All but the count of changes, which triggers keep: tests/storage/contract/snapshots.ts holds it to them. */
const { policy: _, ...counted } = schema
const tables = Object.entries(counted).flatMap(([name, table]) => (is(table, SQLiteTable) ? [{ name, table }] : []))

/** Every row of every table, by table and key. */
export async function snapshot({ db, atomically }: Store): Promise<Map<string, Row>> {
  const selects = tables.map(({ table }) => db.select().from(table))
  const answers = await atomically(selects as unknown as Statements)
  const rows = tables.flatMap(({ name }, i) =>
    rowsOf<Row>(answers[i]).map((row, at): [string, Row] => [`${name} ${keyOf(row) ?? at}`, row]),
  )
  return new Map(rows)
}

function keyOf(row: Row): unknown {
  if (row['role'] !== undefined && row['userId'] !== undefined) return `${row['userId']}/${row['role']}`
  if (row['kind'] !== undefined && row['revision'] !== undefined) return `${row['kind']}/${row['name']}`
  return row['id'] ?? row['seq'] ?? row['slot'] ?? row['hash'] ?? row['generation'] ?? row['intentId']
}

/** `+table key`: the new row. `~table key`: the columns that changed. `-table key`: a row that is gone. */
export async function changes(store: Store, work: () => Promise<unknown>): Promise<Record<string, unknown>> {
  const before = await snapshot(store)
  await work()
  const after = await snapshot(store)
  const found: Record<string, unknown> = {}
  for (const [key, row] of after) {
    const old = before.get(key)
    if (!old) found[`+${nameOf(key, row)}`] = row
    else if (!same(old, row)) found[`~${key}`] = difference(old, row)
  }
  for (const [key, row] of before) if (!after.has(key)) found[`-${key}`] = row
  return found
}

/** Nobody can say beforehand which number an audit row gets. */
const nameOf = (key: string, row: Row): string =>
  key.startsWith('audit ') ? `audit ${row['kind']} ${row['outcome']}` : key

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

const difference = (old: Row, row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([column, value]) => !same(old[column], value)))

/** The verb throws this Refusal, and has written nothing at all: no spent id, no counter, no session, no audit row. */
export async function expectRefused({ store }: World, code: RefusalCode, work: () => Promise<unknown>): Promise<void> {
  const before = await snapshot(store)
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Refusal)
  expect((error as Refusal).code).toBe(code)
  expect(await snapshot(store)).toEqual(before)
}

/** How often each outcome came: `done`, or the code of a refusal. */
export async function race(ways: number, work: (way: number) => Promise<unknown>): Promise<Record<string, number>> {
  const outcomes = await Promise.all(
    Array.from({ length: ways }, (_, way) =>
      work(way).then(
        () => 'done',
        (error: unknown) => (error instanceof Refusal ? error.code : String(error)),
      ),
    ),
  )
  return Object.fromEntries(
    Object.entries(Object.groupBy(outcomes, (it) => it)).map(([it, all]) => [it, all?.length ?? 0]),
  )
}
