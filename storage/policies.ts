import { asc } from 'drizzle-orm'
import type { Document } from '../core/access/document.ts'
import { policyOf } from '../core/access/policy.ts'
import type { KnownPolicy, Policies } from '../core/ports.ts'
import { documents, policy } from './schema.ts'
import { rowsOf, type Store } from './store.ts'

/** The policy as this process read it last. */
export function policiesPort({ db, atomically }: Store): Policies {
  let copy: KnownPolicy | undefined
  const sequence = () => db.select({ sequence: policy.sequence }).from(policy)
  const read = async () => {
    const [counted, written] = await atomically([
      sequence(),
      db.select({ document: documents.document }).from(documents).orderBy(asc(documents.kind), asc(documents.name)),
    ])
    const known = {
      ...policyOf(rowsOf<{ document: Document }>(written).map(({ document }) => document)),
      sequence: rowsOf<{ sequence: number }>(counted)[0]?.sequence ?? 0,
    }
    if (copy === undefined || known.sequence >= copy.sequence) copy = known
    return known
  }
  return {
    current: async () => copy ?? read(),
    newest: async () => {
      if (!copy) return read()
      const [counted] = await atomically([sequence()])
      const isNewest = rowsOf<{ sequence: number }>(counted)[0]?.sequence === copy.sequence
      return isNewest ? copy : read()
    },
  }
}
