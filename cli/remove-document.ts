import { operations } from '../core/api/operations.ts'
import { call, openSession } from './api.ts'
import type { Kind } from './document-name.ts'
import { Problem } from './problem.ts'
import { confirmed, say } from './term.ts'

export interface Removal {
  readonly profile: string | undefined
  readonly kind: Kind
  readonly name: string
  /** It was said already. */
  readonly isConfirmed: boolean
}

/** Where a person can answer, asks before. @throws Problem */
export async function removeDocument({ profile, kind, name, isConfirmed }: Removal): Promise<void> {
  const session = await openSession(profile)
  if (!isConfirmed && !(await confirmed(`Remove the ${kind} ${name}?`))) {
    throw new Problem('failed', 'it was not confirmed, nothing was changed', 'answer y, or call it with --yes')
  }
  const removed = await call(session, operations.documentRemove, { parameters: { kind, name } })
  say(`The ${removed.kind} ${removed.name} is removed.`)
}
