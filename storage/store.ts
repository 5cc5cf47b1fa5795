/** One type for both databases. core sees ports, never a drizzle type. */
import { is, Param, Placeholder, sql } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import type * as schema from './schema.ts'

/** `unknown`: what a statement without RETURNING answers differs by driver, so nobody may read it. */
export type Db = BaseSQLiteDatabase<'async', unknown, typeof schema>
export type Statement = BatchItem<'sqlite'>
export type Statements = readonly [Statement, ...Statement[]]

export interface Store {
  /** To build statements with, and for single reads. Never its `transaction()`: D1 has none. */
  readonly db: Db
  /** One transaction, one round trip: all of it or nothing. What each statement answers, in order. */
  atomically(statements: Statements): Promise<readonly unknown[]>
}

/** The rows of a statement with RETURNING, or of a SELECT, in a batch. */
export const rowsOf = <Row>(answer: unknown): readonly Row[] => answer as readonly Row[]

/** A statement as a driver takes it. `fields`: the columns that it answers, where it answers any. */
export interface Built {
  readonly sql: string
  readonly params: readonly unknown[]
  readonly fields: readonly string[]
  /** Turns the driver's result into rows, blobs and JSON decoded. */
  read(result: unknown): unknown
}

/** The members of drizzle's prepared queries that its own batches use; drizzle does not export their type. */
interface Prepared {
  getQuery(): { readonly sql: string; readonly params: readonly unknown[] }
  mapResult(result: unknown, isFromBatch: true): unknown
  readonly fields?: readonly { readonly field: { readonly name?: string; readonly fieldAlias?: string } }[]
}

export function build(statement: Statement): Built {
  if (statement instanceof Filled) return statement.built
  const prepared = (statement as unknown as { _prepare(): Prepared })._prepare()
  const fields = prepared.fields?.map(({ field }) => field.fieldAlias ?? field.name ?? '') ?? []
  return { ...prepared.getQuery(), fields, read: (result) => prepared.mapResult(result, true) }
}

type Slots<V> = { readonly [K in keyof V & string]: Placeholder<K> }
/** Makes a batch's statement out of the values that it needs. */
export type Recipe<V> = (values: V) => Statement

/** A recipe's statement, built but for its values and then filled. Only `build` reads it. */
class Filled {
  readonly built: Built

  constructor(built: Built) {
    this.built = built
  }
}

/** A statement whose SQL drizzle builds once and that is then only filled: building it anew is most of what a batch costs. */
export function recipe<V extends object>(make: (slots: Slots<V>) => Statement): Recipe<V> {
  let once: { readonly built: Built; readonly fillers: readonly Filler[] } | undefined
  const prepare = () => {
    const built = build(make(slots<V>()))
    return { built, fillers: built.params.map(fillerOf) }
  }
  return (values) => {
    once ??= prepare()
    const params = once.fillers.map((fill) => fill(values as Values))
    return new Filled({ ...once.built, params }) as unknown as Statement
  }
}

type Values = Readonly<Record<string, unknown>>

const slots = <V>(): Slots<V> => new Proxy({}, { get: (_, name) => sql.placeholder(String(name)) }) as Slots<V>

type Filler = (values: Values) => unknown

/** As drizzle's fillPlaceholders, but NULL stays NULL in a JSON column. */
function fillerOf(param: unknown): Filler {
  if (is(param, Placeholder)) return (values) => plain(values[param.name])
  if (!is(param, Param) || !is(param.value, Placeholder)) return () => param
  const { encoder, value } = param
  return (values) => {
    const given = values[value.name]
    return given === null || given === undefined ? null : encoder.mapToDriverValue(given)
  }
}

/** node:sqlite takes no booleans, and D1 would store 1.0. */
const plain = (value: unknown): unknown => (typeof value === 'boolean' ? Number(value) : (value ?? null))
