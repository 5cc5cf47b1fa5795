import type { PreferenceDocument } from './auth-preference.ts'
import type { DbDocument } from './db.ts'
import { type LocksByUser, locksByUser } from './decide.ts'
import type { Document } from './document.ts'
import type { LockDocument } from './lock.ts'
import { type Preference, preferenceOf } from './preference.ts'
import { presets } from './presets.ts'
import type { RoleDocument } from './role.ts'

/** The cluster's documents, ready for `decide`: the same at the edge and in a proxy. */
export interface Policy {
  readonly roles: ReadonlyMap<string, RoleDocument>
  readonly locks: LocksByUser
  readonly resources: ReadonlyMap<string, DbDocument>
  readonly preference: Preference
}

export function policyOf(documents: readonly Document[]): Policy {
  const roles = new Map(presets.map((role) => [role.metadata.name, role]))
  const locks: LockDocument[] = []
  const resources = new Map<string, DbDocument>()
  let preference: PreferenceDocument | undefined
  for (const document of documents) {
    const { name } = document.metadata
    if (document.kind === 'role') roles.set(name, document)
    else if (document.kind === 'lock') locks.push(document)
    else if (document.kind === 'cluster_auth_preference') preference = document
    else resources.set(name, document)
  }
  return { roles, locks: locksByUser(locks), resources, preference: preferenceOf(preference) }
}
