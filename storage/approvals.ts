/** The batch that approves a program, whatever it was proven by. */
import type { CredentialId, Instant, TotpId, UserId } from '../core/model.ts'
import type { Approval } from '../core/token-ports.ts'
import { apply, type Make } from './batches.ts'
import { applyProven } from './factor-ports.ts'
import type { Statement, Store } from './store.ts'

/** Who approved, and what must stand still when the code is exchanged: the passkey, or the app and the password. */
interface Approver {
  readonly userId: UserId
  readonly credentialId: CredentialId | null
  readonly totpId: TotpId | null
  readonly passwordId: string | null
}

export function approve(
  store: Store,
  make: Make,
  approval: Approval,
  effect: (approver: Approver) => readonly Statement[],
): Promise<{ expiresAt: Instant }> {
  if ('tapped' in approval) {
    const { userId, credentialId } = approval.tapped
    return apply(store, make, approval, effect({ userId, credentialId, totpId: null, passwordId: null }))
  }
  const { userId, proof } = approval
  const approver = { userId, credentialId: null, totpId: proof.factor.id, passwordId: proof.password.id }
  return applyProven(store, make, approval, effect(approver))
}
