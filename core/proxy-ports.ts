/** What core needs of the world for proxies and their sessions: ports.ts, continued. */
import type { AuditEvent } from './audit.ts'
import type { ClientSessionId, Instant } from './model.ts'
import type { Spend, Tapped } from './ports.ts'
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
  head(): Promise<SnapshotHead>
  /** Of these logins of programs, those that nobody has ended. */
  notEnded(logins: readonly ClientSessionId[]): Promise<ReadonlySet<ClientSessionId>>
  /** Head and content of one instant. */
  read(): Promise<SnapshotHead & { readonly content: Omit<Snapshot, 'v' | 'cluster' | 'issuer' | 'rp_id' | 'keys'> }>
}

/** What happened at a proxy. `id` is the proxy's own, so that what is told twice is written once. */
export interface ProxyEvent {
  readonly id: string
  readonly event: AuditEvent
}

export interface Grants {
  /**
   * A grant is about to be signed: spends the tapped intent, where there was a tap, confirms the passkey and moves its counter, and writes
   * the row.
   * @throws Refusal ticket_spent, credential_changed, counter_regressed, user_locked, token_invalid, policy_changed, target_invalid
   */
  issue(grant: {
    readonly spend: Spend
    readonly tapped: Tapped | undefined
    readonly clientSessionId: ClientSessionId
    /** Of the policy that it was decided by: roles, resources and locks are still as they were. */
    readonly sequence: number
    /** The id of the proxy that it is for: it is registered. */
    readonly proxy: string
    readonly event: AuditEvent
  }): Promise<void>
}

export interface Events {
  /** All of them or none; those that were told before are left out. */
  record(events: readonly ProxyEvent[]): Promise<void>
}
