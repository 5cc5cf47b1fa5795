/** What core needs of the world for proxies and their sessions: ports.ts, continued. */
import type { ResourceKind } from './access/resource.ts'
import type { AuditEvent } from './audit.ts'
import type { ShownCode } from './factor-ports.ts'
import type { ClientSessionId, Instant, TotpId, UserId } from './model.ts'
import type { SessionClaim, Spend, Tapped } from './ports.ts'
import type { Snapshot } from './snapshot.ts'

export interface ProxyRecord {
  /** RFC 7638 thumbprint of its key. */
  readonly id: string
  /** Ed25519 public key, base64url. */
  readonly x: string
  readonly name: string
  readonly registeredAt: Instant
}

export interface Proxies {
  /** Only one that was not removed. */
  find(id: string): Promise<ProxyRecord | undefined>
  list(): Promise<readonly ProxyRecord[]>
  /** The same key again changes its name and nothing else, and lets a removed one in again. */
  add(proxy: ProxyRecord, event: AuditEvent): Promise<void>
  /** @throws Refusal not_found */
  remove(name: string, event: AuditEvent): Promise<void>
}

export interface SnapshotHead {
  /** Counts the changes that proxies must know. */
  readonly sequence: number
  /** The newest audit row. */
  readonly logHead: number
}

export interface Snapshots {
  /** `endedSessions`: those that are open at this proxy, as far as it has told, and that somebody has ended. */
  head(proxy: string, at: Instant): Promise<SnapshotHead & { readonly endedSessions: readonly string[] }>
  /** Of these logins of programs, those that nobody has ended. */
  notEnded(logins: readonly ClientSessionId[]): Promise<ReadonlySet<ClientSessionId>>
  /** Head and content of one instant. */
  read(): Promise<SnapshotHead & { readonly content: Omit<Snapshot, 'v' | 'cluster' | 'issuer' | 'rp_id' | 'keys'> }>
}

/** What happened at a proxy. `id` is the proxy's own, so that what is told twice is written once. */
export interface ProxyEvent {
  readonly id: string
  readonly event: AuditEvent
  readonly proxyId: string
  /** What it says of the sessions that are open there. */
  readonly session?: SessionChange | undefined
}

export type SessionChange =
  | { readonly kind: 'opened'; readonly opened: OpenedAt }
  | { readonly kind: 'closed'; readonly id: string }
  /** Of another process of the proxy than this one none is open any more. */
  | { readonly kind: 'started'; readonly boot: string }

/** A session on a resource, as its proxy tells that it has begun. */
export interface OpenedAt {
  readonly id: string
  readonly userId: UserId
  readonly boot: string
  readonly kind: ResourceKind
  readonly resource: string
  /** In words; empty where the kind has none. */
  readonly principal: string
  readonly impersonated: string | null
  readonly address: string
  readonly openedAt: Instant
}

export interface Grants {
  /**
   * A grant is about to be signed: spends the tapped intent, where there was a tap, confirms the passkey and moves its counter, and writes
   * a row for each resource.
   * @throws Refusal ticket_spent, credential_changed, counter_regressed, user_locked, token_invalid, policy_changed, target_invalid;
   * code_ungiven, factors_changed, preference_changed
   */
  issue(grant: {
    readonly spend: Spend
    /** The proof of the request, where it was not spent before; then `sequence` is also that of what is known of the caller. */
    readonly proof?: Spend | undefined
    readonly tapped: Tapped | undefined
    /** What stood in for the tap. */
    readonly coded?: Coded | undefined
    readonly clientSessionId: ClientSessionId
    /** Of the policy that it was decided by: roles, resources and locks are still as they were. */
    readonly sequence: number
    /** The id of the proxy that it is for: it is registered. */
    readonly proxy: string
    readonly events: readonly [AuditEvent, ...AuditEvent[]]
  }): Promise<void>
  /**
   * A code stands in for the tap of one intent: uses it up and writes down that it was given, which `issue` asks for. The user has no
   * passkey.
   * @throws Refusal ticket_spent, preference_changed, session_missing, user_locked, code_spent, factors_changed
   */
  approveByCode(approval: {
    /** That it was given (core/access/session-code.ts). */
    readonly spend: Spend
    readonly userId: UserId
    /** As in `Attempt`: the failures of the name are forgotten. */
    readonly name: string
    readonly factor: ShownCode
    /** The revision of the preference that judged it. */
    readonly preference: string | undefined
    readonly claim: SessionClaim
    readonly event: AuditEvent
  }): Promise<void>
}

/** A code that was given for the intent, of an app that is still there; its user still has no passkey. */
export interface Coded {
  /** The id that `approveByCode` spent. */
  readonly given: string
  readonly app: TotpId
  /** The revision of the preference that takes codes alone. */
  readonly preference: string | undefined
}

export interface Events {
  /** All of them or none; those that were told before are left out. */
  record(events: readonly ProxyEvent[]): Promise<void>
}
