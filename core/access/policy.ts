import type { DbDocument } from './db.ts'
import { type LocksByUser, locksByUser } from './decide.ts'
import type { Document } from './document.ts'
import type { LockDocument } from './lock.ts'
import { presets } from './presets.ts'
import type { RoleDocument } from './role.ts'

/** The cluster's documents, ready for `decide`: the same at the edge and in a proxy. */
export interface Policy {
  readonly roles: ReadonlyMap<string, RoleDocument>
  readonly locks: LocksByUser
  readonly resources: ReadonlyMap<string, DbDocument>
}

export function policyOf(documents: readonly Document[]): Policy {
  const roles = new Map(presets.map((role) => [role.metadata.name, role]))
  const locks: LockDocument[] = []
  const resources = new Map<string, DbDocument>()
  for (const document of documents) {
    const { name } = document.metadata
    if (document.kind === 'role') roles.set(name, document)
    else if (document.kind === 'lock') locks.push(document)
    else resources.set(name, document)
  }
  return { roles, locks: locksByUser(locks), resources }
}
