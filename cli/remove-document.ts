import { operations } from '../core/api/operations.ts'
import { openSession } from './api.ts'
import { type MeantOne, showMeant } from './document-name.ts'
import { sayLost } from './lost-passkeys.ts'
import { Problem } from './problem.ts'
import { callApproved } from './tap.ts'
import { confirmed, say } from './term.ts'

export interface Removal extends MeantOne {
  readonly profile: string | undefined
  /** It was said already. */
  readonly isConfirmed: boolean
  /** Passkeys may stop working. */
  readonly isForced: boolean
  readonly opensBrowser: boolean
}

/** Where a person can answer, asks before. @throws Problem */
export async function removeDocument(removal: Removal): Promise<void> {
  const { profile, kind, name, isConfirmed, isForced, opensBrowser } = removal
  const session = await openSession(profile)
  const one = showMeant({ kind, name })
  if (!isConfirmed && !(await confirmed(`Remove the ${one}?`))) {
    throw new Problem('failed', 'it was not confirmed, nothing was changed', 'answer y, or call it with --yes')
  }
  const query = { force: isForced ? ('true' as const) : undefined }
  const approval = { toDo: `approve that the ${one} is removed`, opensBrowser }
  const { lost } = await callApproved(
    session,
    operations.documentRemove,
    { parameters: { kind, name }, query },
    approval,
  )
  sayLost(lost)
  say(`The ${one} is removed${kind === 'cluster_auth_preference' ? ': the defaults hold again' : ''}.`)
}
