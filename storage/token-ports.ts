/** core's ports for codes, client sessions and signing keys: ports.ts, continued. */
import { asc, eq } from 'drizzle-orm'
import type { Traits } from '../core/access/pattern.ts'
import type { AuditEvent } from '../core/audit.ts'
import {
  type ClientSessionEnd,
  type ClientSessionId,
  type CredentialId,
  hours,
  type Instant,
  type LoginVia,
  type TotpId,
  type UserId,
} from '../core/model.ts'
import type { Ports } from '../core/ports.ts'
import { Refusal } from '../core/refusal.ts'
import type { Entered, Login, StoredSigningKey } from '../core/token-ports.ts'
import { approve } from './approvals.ts'
import { about, actorGuards, type Make } from './batches.ts'
import { tellingLock } from './lock.ts'
import { type Meanings, refusing } from './obstacles.ts'
import { heldOf, type RoleRow } from './owner.ts'
import { auditRow } from './rows.ts'
import { codes, signingKeys } from './schema.ts'
import { rowsOf, type Store } from './store.ts'

/** Of a client session, from its approval on; a role may say less. */
export const longestSession = hours(12)
export const replayedProof: Meanings = { ticket_spent: 'dpop_replayed' }

export function codesPort(store: Store, make: Make): Ports['codes'] {
  return {
    issue: ({ code, ...approval }) =>
      approve(store, make, approval, (approver) => [make.addCode({ ...code, ...approver, usedAt: null })]),
    redeem: async ({ spend, event, ...claim }) => {
      const { at, asking } = event
      const { hash } = claim
      const work = store.atomically([
        make.spend(spend),
        make.codeHolds({ ...claim, at }),
        make.codeApproverStands({ hash }),
        make.codeUserNotLocked({ hash, at }),
        make.openClientSession({ hash, at, latest: longestSession, ...asking.from }),
        make.recordOfCode({ ...auditRow(event), hash }),
        make.useCode({ hash, at }),
        make.loginOfCode({ hash }),
      ])
      const refused = refusing(about(event), work, replayedProof)
      const answers = await tellingLock(store, { code: hash }, at, refused)
      const [login] = rowsOf<LoginRow & { readonly nonce: string }>(answers[7])
      if (!login) throw new TypeError('The client session that was opened was not answered')
      return { ...loginOf(login), nonce: login.nonce }
    },
    examine: async (claim, event) => {
      const { at, asking } = event
      const answers = await store.atomically([
        make.endOfReusedCode({ ...claim, at, requestId: asking.requestId }),
        make.recordIfCodeEnded({ ...ending(event), hash: claim.hash }),
        store.db.select().from(codes).where(eq(codes.hash, claim.hash)),
      ])
      const [code] = rowsOf<typeof codes.$inferSelect>(answers[2])
      return whyNot(code, claim, at)
    },
  }
}

/** The row that a request which ended a session writes, if it did. */
const ending = (event: AuditEvent, sessionId?: ClientSessionId) =>
  auditRow({ ...event, kind: 'client.end', outcome: 'done', sessionId })

function whyNot(
  code: typeof codes.$inferSelect | undefined,
  claim: Parameters<Ports['codes']['examine']>[0],
  at: Instant,
) {
  if (!code) return 'unknown'
  if (code.clientId !== claim.clientId) return 'of another client'
  if (code.redirectUri !== claim.redirectUri) return 'for another redirect'
  if (code.codeChallenge !== claim.codeChallenge) return 'verifier'
  if (code.jkt !== claim.jkt) return 'of another key'
  return code.usedAt === null && code.expiresAt <= at ? 'expired' : 'used'
}

export type LoginRow = {
  readonly id: ClientSessionId
  readonly userId: UserId
  readonly credentialId: CredentialId | null
  readonly totpId: TotpId | null
  readonly name: string
  readonly traits: Traits | null
  readonly clientId: string
  readonly scope: string
  readonly via: LoginVia
  readonly authenticatedAt: Instant
  readonly expiresAt: Instant
  readonly generation: number
  readonly jkt: string
  readonly endedAt: Instant | null
  readonly endReason: string | null
}

export const loginOf = ({ userId, name, generation, ...row }: LoginRow): Login => {
  const { id, clientId, scope, via, authenticatedAt, expiresAt } = row
  const session = { id, clientId, scope, via, tapped: row.credentialId !== null, authenticatedAt, expiresAt }
  return { user: { id: userId, name }, session, generation }
}

export function clientSessionsPort(store: Store, make: Make): Ports['clientSessions'] {
  return {
    refresh: async ({ spend, event, ...refresh }) => {
      const { at, asking } = event
      const moving = { ...refresh, at, requestId: asking.requestId }
      const work = store.atomically([
        make.spend(spend),
        make.clientUserNotLocked({ id: refresh.id, jkt: refresh.jkt, at }),
        make.rotate(moving),
        make.endIfCopied(moving),
        make.recordIfEnded(ending(event, refresh.id)),
        make.login({ id: refresh.id }),
      ])
      const whom = { clientSessionId: refresh.id }
      const answers = await tellingLock(store, whom, at, refusing({ session: refresh.id }, work, replayedProof))
      const [login] = rowsOf<LoginRow>(answers[5])
      return requireRunning(login, refresh, at)
    },
    enter: async ({ spend, id, jkt, at }) => {
      const work = store.atomically([
        make.spend(spend),
        make.clientSessionHolds({ id, jkt, at }),
        make.clientUserNotLocked({ id, jkt, at }),
        make.login({ id }),
        make.roles({ id }),
      ])
      const whom = { clientSessionId: id }
      const answers = await tellingLock(store, whom, at, refusing({ session: id }, work, replayedProof))
      const [login] = rowsOf<LoginRow & Pick<Entered, 'sequence'>>(answers[3])
      if (!login) throw new Refusal('token_invalid', { session: id })
      const { session, user: named } = loginOf(login)
      const user = login.traits === null ? named : { ...named, traits: login.traits }
      const rows = rowsOf<RoleRow>(answers[4])
      const roles = rows.map(({ role }) => role)
      const factorId = login.credentialId ?? login.totpId
      if (factorId === null) throw new TypeError('A login that nothing let in')
      const { sequence } = login
      return { user, session, roles, held: rows.flatMap(heldOf), factorId, sequence } satisfies Entered
    },
    revoke: async (id, clientId, event) => {
      const end = { id, clientId, at: event.at, reason: 'revoked', requestId: event.asking.requestId } as const
      await store.atomically([make.revoke(end), make.recordIfEnded(ending(event, id))])
    },
    end: async (claim, id, event) => {
      const { at, asking } = event
      const work = store.atomically([
        make.sessionRuns({ ...claim, at }),
        make.ownClientSessionRuns({ id: claim.id, target: id, at }),
        make.endClientSession({ id, at, reason: 'revoked', requestId: asking.requestId }),
        make.recordOf({ ...auditRow(event), claimed: claim.id }),
      ])
      await refusing(about(event), work)
    },
    disown: async (claim, jkt, event) => {
      const { at, asking } = event
      const work = store.atomically([
        make.sessionRuns({ ...claim, at }),
        make.endOwnOfKey({ jkt, claimed: claim.id, at, reason: 'disowned', requestId: asking.requestId }),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work)
    },
  }
}

type Refreshing = { readonly id: ClientSessionId; readonly clientId: string; readonly jkt: string }

/** Why it ended is told to the key that the session is bound to, and to no other. */
function requireRunning(row: LoginRow | undefined, { id, clientId, jkt }: Refreshing, at: Instant): Login {
  if (!row || row.clientId !== clientId) throw new Refusal('client_session_missing', { session: id })
  const detail = { session: id, user: row.userId }
  if (row.jkt !== jkt) throw new Refusal('client_session_missing', { ...detail, why: 'another key' })
  if (row.endedAt !== null) {
    const reason = row.endReason as ClientSessionEnd
    throw new Refusal('client_session_ended', { ...detail, reason })
  }
  if (row.expiresAt <= at) throw new Refusal('client_session_missing', { ...detail, why: 'expired' })
  return loginOf(row)
}

export function signingKeysPort(store: Store, make: Make): Ports['signingKeys'] {
  const { db } = store
  return {
    list: async () => {
      const rows = await db.select().from(signingKeys).orderBy(asc(signingKeys.generation))
      return rows.map(keyOf)
    },
    begin: async ([current, next]) => {
      await store.atomically([make.beginKey(keyRow(current)), make.beginKey(keyRow(next))])
    },
    rotate: async (actor, current, next, event) => {
      const work = store.atomically([
        ...actorGuards(make, actor, event),
        make.keyIsCurrent({ current }),
        make.retireKey({ current, at: event.at }),
        make.activateKey({ current, at: event.at }),
        make.addKey(keyRow(next)),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work)
    },
  }
}

const keyRow = ({ sealed, activatedAt, retiredAt, ...key }: StoredSigningKey): typeof signingKeys.$inferInsert => ({
  ...key,
  sealed: sealed ?? null,
  activatedAt: activatedAt ?? null,
  retiredAt: retiredAt ?? null,
})

const keyOf = ({ sealed, activatedAt, retiredAt, ...key }: typeof signingKeys.$inferSelect): StoredSigningKey => ({
  ...key,
  sealed: sealed ?? undefined,
  activatedAt: activatedAt ?? undefined,
  retiredAt: retiredAt ?? undefined,
})
