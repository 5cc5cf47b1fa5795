import type { Intent, Json } from './intent.ts'
import type { RegistrationJson } from './login/passkey-register.ts'
import type { Asking, ClientSessionId, CredentialId, Instant, SessionId, TotpId, UserId } from './model.ts'
import type { Ports } from './ports.ts'
import { Refusal, type RefusalCode, type RefusalDetail } from './refusal.ts'
import type { Tap } from './tap/verify.ts'
import type { Vouch } from './vouch.ts'

/** What happened, or what somebody tried. One row each, in the batch of its effect where there is one. */
export type AuditKind =
  | 'administrator.offer'
  | 'administrator.register'
  | 'recovery.offer'
  | 'recovery.register'
  | 'login'
  | 'logout'
  | 'passkey.add'
  | 'passkey.remove'
  | 'passkey.entrust'
  | 'password.set'
  | 'password.remove'
  | 'totp.add'
  | 'totp.remove'
  | 'recovery.make'
  | 'session.end'
  | 'login.end'
  | 'request'
  | 'client.approve'
  | 'client.refuse'
  | 'client.login'
  | 'client.refresh'
  | 'client.end'
  | 'tap.begin'
  | 'tap.refuse'
  | 'tap.disown'
  | 'user.invite'
  | 'user.register'
  | 'user.reset'
  | 'user.remove'
  | 'document.put'
  | 'document.remove'
  | 'keys.rotate'
  | 'proxy.add'
  | 'proxy.remove'
  | 'session.approve'
  | 'session.grant'
  | 'session.start'
  | 'session.refuse'
  | 'session.stop'
  | 'session.disconnect'
  | 'proxy.start'
  | 'call'

/**
 * What anybody can check later without trusting the edge: what was approved and the key's own signature over it. No
 * ticket, cookie or link secret is part of it: an intent holds only their hashes, and is spent.
 */
export type Evidence =
  | { readonly tap: Tap; readonly vouch?: Vouch }
  | { readonly tap: Tap; readonly request: Json }
  | { readonly intent: Intent; readonly registration: RegistrationJson; readonly vouch?: Vouch }
  | { readonly documents: readonly Json[] }
  /** A code in the place of a tap: nobody but the edge can check it. */
  | { readonly intent: Intent; readonly factor: { readonly kind: 'totp'; readonly id: TotpId; readonly step: number } }

export interface AuditEvent {
  readonly at: Instant
  readonly kind: AuditKind
  readonly outcome: 'done' | 'refused'
  readonly asking: Asking
  readonly userId?: UserId | undefined
  readonly credentialId?: CredentialId | undefined
  /** Of a browser, or of a program. */
  readonly sessionId?: SessionId | ClientSessionId | undefined
  readonly intentId?: string | undefined
  /** The rule that refused. */
  readonly code?: RefusalCode | undefined
  readonly detail?: RefusalDetail | undefined
  readonly evidence?: Evidence | undefined
}

/** A program that waits for a person hears these for minutes: they are no news. */
const onlyWaits: ReadonlySet<RefusalCode> = new Set(['device_pending', 'device_slow_down'])

/**
 * Runs a ceremony and writes down what it refuses. A second write, because the batch that would have had the effect is
 * gone. If even that fails the caller hears of the failure, and has been let in nowhere.
 */
export async function recordingRefusals<T>(
  { audit, now }: Pick<Ports, 'audit' | 'now'>,
  asking: Asking,
  kind: AuditKind,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal && !onlyWaits.has(error.code))
      await audit.record(refusalEvent(error, { at: now(), kind, asking }))
    throw error
  }
}

const text = (value: string | number | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

function refusalEvent(refusal: Refusal, event: Pick<AuditEvent, 'at' | 'kind' | 'asking'>): AuditEvent {
  const { user, credential, intent, ...detail } = refusal.detail
  return {
    ...event,
    outcome: 'refused',
    code: refusal.code,
    userId: text(user) as UserId | undefined,
    credentialId: text(credential) as CredentialId | undefined,
    intentId: text(intent),
    detail,
  }
}
