/** D1 and KV bindings that note each call that leaves the process: what a ceremony costs at the edge. */
import type { D1 } from '../../storage/d1.ts'
import type { Kv } from '../../storage/kv.ts'

type Statement = ReturnType<D1['prepare']>
type Calls = Record<'all' | 'raw' | 'run' | 'first', (...args: unknown[]) => Promise<unknown>>

const asking = ['all', 'raw', 'run', 'first'] as const

/** `note(n)`: one round trip with n statements. */
export function countedD1(d1: D1, note: (statements: number) => void): D1 {
  const inner = new WeakMap<Statement, Statement>()
  const wrap = (statement: Statement): Statement => {
    const calls = asking.map((name) => [
      name,
      (...args: unknown[]) => {
        note(1)
        return (statement as unknown as Calls)[name](...args)
      },
    ])
    const wrapped = { bind: (...values: unknown[]) => wrap(statement.bind(...values)), ...Object.fromEntries(calls) }
    inner.set(wrapped, statement)
    return wrapped
  }
  return {
    prepare: (sql) => wrap(d1.prepare(sql)),
    batch: (statements) => {
      note(statements.length)
      return d1.batch(statements.map((one) => inner.get(one) ?? one))
    },
  }
}

export function countedKv(kv: Kv, note: (call: 'get' | 'put') => void): Kv {
  return {
    get: (key, type) => {
      note('get')
      return kv.get(key, type)
    },
    put: (key, value, options) => {
      note('put')
      return kv.put(key, value, options)
    },
  }
}
