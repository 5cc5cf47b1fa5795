/** core's port for the device flow: token-ports.ts, continued. */
import { and, eq, sql } from 'drizzle-orm'
import type { DeviceAsk, DeviceCodeClaim, DevicePoll, DeviceView } from '../core/device-flow-ports.ts'
import type { Duration, Instant, UserId } from '../core/model.ts'
import type { Ports, SessionClaim } from '../core/ports.ts'
import { approve } from './approvals.ts'
import { about, type Make } from './batches.ts'
import { mayUseDeviceFlow } from './device-flow-statements.ts'
import { personOf, personQueries } from './factor-ports.ts'
import { tellingLock } from './lock.ts'
import { type Meanings, refusing } from './obstacles.ts'
import { type OwnerRow, ownerQuery, userOf } from './owner.ts'
import { auditRow } from './rows.ts'
import { deviceCodes, sessions, users } from './schema.ts'
import { rowsOf, type Store } from './store.ts'
import { type LoginRow, loginOf, longestSession, replayedProof } from './token-ports.ts'

type DeviceCodeRow = typeof deviceCodes.$inferSelect

const unanswered = {
  polledAt: null,
  userId: null,
  refusedAt: null,
  authenticatedAt: null,
  credentialId: null,
  totpId: null,
  passwordId: null,
  intentId: null,
  usedAt: null,
}
/** To a program, a code that somebody else used in the same moment is one that is no good. */
const usedMeanwhile: Meanings = { device_code_answered: 'device_code_invalid' }

export function deviceCodesPort(store: Store, make: Make): Ports['deviceCodes'] {
  return {
    issue: async ({ spend, keepFor, most, from, ...code }) => {
      const work = store.atomically([
        make.forgetDeviceCodes({ before: code.askedAt - keepFor }),
        ...(spend ? [make.spend(spend)] : []),
        make.deviceCodeHasRoom({ most }),
        make.addDeviceCode({ ...code, ...from, ...unanswered }),
      ])
      await refusing({ client: code.clientId }, work, replayedProof)
    },
    look: (claim, userCode, now) => look(store, claim, userCode, now),
    approve: ({ hash, intentId, ...approval }) => {
      const { at } = approval.event
      return approve(store, make, approval, (approver) => [
        make.deviceCodeWaits({ hash, at }),
        make.userMayUseDeviceFlow(approver),
        make.approveDeviceCode({ ...approver, hash, intentId, at }),
      ])
    },
    refuse: async (claim, hash, event) => {
      const { at } = event
      const work = store.atomically([
        make.sessionRuns({ ...claim, at }),
        make.deviceCodeWaits({ hash, at }),
        make.refuseDeviceCode({ hash, claimed: claim.id, at }),
        make.recordOf({ ...auditRow(event), claimed: claim.id }),
      ])
      await refusing(about(event), work)
    },
    poll: async ({ spend, at, ...claim }) => {
      const { hash, clientId: client } = claim
      const work = store.atomically([
        make.spend(spend),
        make.deviceCode({ hash }),
        make.pollDeviceCode({ ...claim, at }),
      ])
      const answers = await refusing({ client }, work, replayedProof)
      const [before] = rowsOf<DeviceCodeRow>(answers[1])
      const [after] = rowsOf<{ interval: Duration }>(answers[2])
      return pollOf(before, after, claim, at)
    },
    redeem: async ({ event, ...claim }) => {
      const { at, asking } = event
      const { hash } = claim
      const work = store.atomically([
        make.deviceCodeHolds({ ...claim, at }),
        make.deviceApproverStands({ hash }),
        make.deviceUserNotLocked({ hash, at }),
        make.deviceUserStillMay({ hash }),
        make.openDeviceSession({ hash, at, latest: longestSession, ...asking.from }),
        make.recordOfDeviceCode({ ...auditRow(event), hash }),
        make.useDeviceCode({ hash, at }),
        make.loginOfDeviceCode({ hash }),
      ])
      const refused = refusing({ client: claim.clientId }, work, usedMeanwhile)
      const [login] = rowsOf<LoginRow>((await tellingLock(store, { deviceCode: hash }, at, refused))[7])
      if (!login) throw new TypeError('The client session that was opened was not answered')
      return loginOf(login)
    },
  }
}

/** `before`: the row as it was. `after`: its interval, where it waits and this key may ask. */
function pollOf(
  before: DeviceCodeRow | undefined,
  after: { readonly interval: Duration } | undefined,
  { clientId, jkt }: DeviceCodeClaim,
  at: Instant,
): DevicePoll {
  if (!before) return 'unknown'
  if (before.clientId !== clientId) return 'of another client'
  if (before.jkt !== jkt) return 'of another key'
  if (after) return after.interval > before.interval ? 'slow_down' : 'pending'
  if (before.usedAt !== null) return 'used'
  if (before.refusedAt !== null) return 'refused'
  return before.expiresAt <= at ? 'expired' : 'approved'
}

async function look(
  { db, atomically }: Store,
  claim: SessionClaim,
  userCode: string,
  now: Instant,
): Promise<DeviceView | undefined> {
  const owner = db.select({ id: sessions.userId }).from(sessions).where(eq(sessions.id, claim.id))
  const answers = await atomically([
    ownerQuery(db, claim, now),
    db
      .select({ id: users.id })
      .from(users)
      .where(and(sql`${users.id} = ${owner}`, mayUseDeviceFlow(sql`${users.id}`))),
    db.select().from(deviceCodes).where(eq(deviceCodes.userCode, userCode)),
    ...personQueries(db, owner),
  ])
  const user = userOf(rowsOf<OwnerRow>(answers[0]), claim, now)
  const [row] = rowsOf<DeviceCodeRow>(answers[2])
  return (
    user && {
      ...personOf(user, answers.slice(3)),
      mayUse: rowsOf(answers[1]).length > 0,
      ask: row && askOf(row, user.id, now),
    }
  )
}

/** What others answered, and what nobody did in time, is not there. */
function askOf(row: DeviceCodeRow, user: UserId, now: Instant): DeviceAsk | undefined {
  const isThere = row.userId === null ? row.expiresAt > now : row.userId === user
  if (!isThere) return undefined
  const { hash, userCode, clientId, jkt, scope, askedAt, address, place, browser } = row
  const state = row.userId === null ? 'waiting' : row.refusedAt === null ? 'approved' : 'refused'
  return { hash, userCode, clientId, jkt, scope, askedAt, from: { address, place, browser }, state }
}
