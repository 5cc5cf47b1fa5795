/** The store on D1. Plain `env.DB`, no session: security reads go to the primary. */
import { drizzle } from 'drizzle-orm/d1'
import * as schema from './schema.ts'
import { type Built, build, type Store } from './store.ts'

/** The part of D1Database that is used here; Cloudflare's own types stay out of this program. */
export interface D1 {
  prepare(sql: string): D1Statement
  batch(statements: D1Statement[]): Promise<unknown[]>
}
interface D1Statement {
  bind(...values: unknown[]): D1Statement
}

export function openD1(d1: D1): Store {
  const checked = new Set<string>()
  return {
    db: drizzle(d1 as unknown as Parameters<typeof drizzle>[0], { schema }),
    atomically: async (statements) => {
      const built = statements.map(build)
      for (const one of built) refuseTwins(one, checked)
      const answers = await d1.batch(built.map(({ sql, params }) => d1.prepare(sql).bind(...params)))
      return built.map(({ read }, i) => read(answers[i]))
    },
  }
}

/** A batch answers rows as objects: of two columns with one name only one would come back, under the wrong key, in silence. */
function refuseTwins({ sql, fields }: Built, checked: Set<string>): void {
  if (checked.has(sql)) return
  if (new Set(fields).size < fields.length)
    throw new TypeError(`D1 batch: two columns share a name: ${fields.join(', ')}`)
  checked.add(sql)
}
