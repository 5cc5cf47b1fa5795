/** Which statements a batch is made of, and the parts that batches share. */
import type { Actor } from '../core/admin-ports.ts'
import type { AuditEvent } from '../core/audit.ts'
import type { ClientSessionEnd, Instant } from '../core/model.ts'
import type { Change, Spend, Tapped } from '../core/ports.ts'
import { approvalStatements, documentStatements, leavingStatements, userStatements } from './admin-statements.ts'
import { deviceCodeStatements } from './device-flow-statements.ts'
import { codeFactorStatements, factorChangeStatements, passwordStatements } from './factor-statements.ts'
import { tellingLock } from './lock.ts'
import { type Acting, lockStatements } from './lock-statements.ts'
import { refusing } from './obstacles.ts'
import { openSessionStatements } from './open-session-statements.ts'
import { proxyStatements } from './proxy-statements.ts'
import { auditRow, sessionRow } from './rows.ts'
import { accountStatements, administratorStatements, sessionStatements, tapStatements } from './statements.ts'
import { rowsOf, type Statement, type Statements, type Store } from './store.ts'
import {
  actorStatements,
  approverStatements,
  clientSessionStatements,
  codeStatements,
  loginStatements,
  signingKeyStatements,
} from './token-statements.ts'
import { userDocumentStatements } from './user-documents.ts'

export const makeStatements = ({ db }: Store) => ({
  ...tapStatements(db),
  ...lockStatements(db),
  ...sessionStatements(db),
  ...accountStatements(db),
  ...administratorStatements(db),
  ...codeStatements(db),
  ...deviceCodeStatements(db),
  ...loginStatements(db),
  ...clientSessionStatements(db),
  ...approverStatements(db),
  ...actorStatements(db),
  ...signingKeyStatements(db),
  ...userStatements(db),
  ...userDocumentStatements(db),
  ...leavingStatements(db),
  ...documentStatements(db),
  ...approvalStatements(db),
  ...proxyStatements(db),
  ...openSessionStatements(db),
  ...passwordStatements(db),
  ...codeFactorStatements(db),
  ...factorChangeStatements(db),
})
export type Make = ReturnType<typeof makeStatements>

/**
 * Spends the intent, confirms the tapping credential, the preference that judged it and that no lock stands in the way, and moves the
 * counter on. `session`: in which it is shown; null at a login.
 */
export const tap = (
  make: Make,
  { spend, tapped, event }: { spend: Spend; tapped: Tapped; event: AuditEvent },
  session: Acting['session'] = null,
): Statements => [
  make.spend(spend),
  make.credentialHolds(tapped),
  make.preferenceHolds(tapped),
  make.notLocked({ ...tapping(tapped, session), at: event.at }),
  make.counterIsAhead(tapped),
  make.moveCounter({ ...tapped, at: event.at }),
]

/** Who taps, as locks name him. */
export const tapping = ({ userId, credentialId }: Tapped, session: Acting['session'] = null): Acting => ({
  userId,
  device: credentialId,
  session,
})

/** The tapping credential alone, where spending and locks stand elsewhere in the batch. */
export const tapFactor = (make: Make, tapped: Tapped, at: Instant): Statement[] => [
  make.credentialHolds(tapped),
  make.counterIsAhead(tapped),
  make.moveCounter({ ...tapped, at }),
]

/** What a refusal out of a batch tells the operator. */
export const about = ({ userId, credentialId, intentId }: AuditEvent): Record<string, string> => ({
  ...(userId && { user: userId }),
  ...(credentialId && { credential: credentialId }),
  ...(intentId && { intent: intentId }),
})

/**
 * The caller's session runs, he still holds the roles that allow it, as they were, and no lock names him, his roles or what let him in;
 * and what else gives him the right: the tap of this request, which is spent, or the preference that lets a recent login be enough.
 */
export function actorGuards(make: Make, { warrant, userId, by, ...actor }: Actor, event: AuditEvent): Statements {
  const holds: Statements = [
    actorRuns(make, { userId, ...actor }, event.at),
    ...by.map(({ name, revision = '' }) => make.actorMay({ userId, role: name, revision })),
    make.notLocked({ userId, device: null, session: actor.sessionId, at: event.at }),
  ]
  if (!warrant) return holds
  if (!('tapped' in warrant)) return [make.preferenceHolds(warrant), ...holds]
  const vouches = warrant.mayVouch ? [make.credentialMayVouch(warrant.tapped)] : []
  return [...tap(make, { ...warrant, event }), ...vouches, ...holds]
}

const actorRuns = (make: Make, { userId, sessionId, claim }: Omit<Actor, 'by' | 'warrant'>, at: Instant): Statement =>
  claim ? make.sessionHolds({ ...claim, userId, at }) : make.actorHolds({ userId, sessionId, at })

/** Keeps the tap that something rests on, and answers its id; null where there was none. */
export function keepApproval(
  make: Make,
  { warrant, userId }: Actor,
  at: Instant,
): { readonly statements: readonly Statement[]; readonly id: string | null } {
  if (!warrant || !('tapped' in warrant)) return { statements: [], id: null }
  const { tap, request } = warrant
  const { id } = tap.intent
  return { statements: [make.addApproval({ intentId: id, tap, request, userId, at })], id }
}

/** Nothing stays of what let the user in: passkeys, passwords and codes, sessions of browsers and programs, open links. */
export const leaveNothing = (
  make: Make,
  whose: { readonly nameKey: string; readonly at: Instant },
  reason: ClientSessionEnd,
  requestId: string,
): readonly Statement[] => [
  make.removeCredentialsOf(whose),
  make.removePasswordOf(whose),
  make.removeTotpsOf(whose),
  make.removeRecoveryCodesOf(whose),
  make.endSessionsOfUser(whose),
  make.endClientSessionsOfUser({ ...whose, reason, requestId }),
  make.closeLinksOf(whose),
]

/** A change to an account: the tap, the session it was asked in and its successor, the effect, the audit row. */
export async function apply(
  store: Store,
  make: Make,
  change: Change,
  effect: readonly Statement[],
): Promise<{ expiresAt: Instant }> {
  const { userId, credentialId } = change.tapped
  const claimed = { ...change.claim, userId, at: change.event.at }
  const successor = sessionRow(change.session, { userId, credentialId, expiresAt: 0 })
  const before: Statements = [...tap(make, change, change.claim.id), make.sessionHolds(claimed)]
  const work = store.atomically([
    ...before,
    make.exchangeSession({ ...successor, oldId: change.claim.id }),
    make.endSession({ ...claimed, target: change.claim.id }),
    ...effect,
    make.record(auditRow(change.event)),
  ])
  const refused = refusing(about(change.event), work)
  const whom = tapping(change.tapped, change.claim.id)
  return opened((await tellingLock(store, whom, change.event.at, refused))[before.length])
}

/** The end of the session that a statement of the batch opened. */
export function opened(answer: unknown): { expiresAt: Instant } {
  const [session] = rowsOf<{ expiresAt: Instant }>(answer)
  if (!session) throw new TypeError('The session that was opened was not answered')
  return session
}
