import type { BodyOf } from '../../core/api/operation.ts'
import { operations } from '../../core/api/operations.ts'
import type { ChangeDone } from '../../core/login/factor-change.ts'
import { showFactors } from '../../core/login/factors.ts'
import {
  beginPasswordRemove,
  beginPasswordSet,
  finishPasswordRemove,
  finishPasswordSet,
} from '../../core/login/password-change.ts'
import { beginRecoveryCodes, finishRecoveryCodes } from '../../core/login/recovery-codes.ts'
import { beginTotpAdd, beginTotpRemove, finishTotpAdd, finishTotpRemove } from '../../core/login/totp-change.ts'
import type { Instant, TotpId } from '../../core/model.ts'
import type { App, Edge, EdgeContext } from '../edge.ts'
import { pageCall } from '../page-call.ts'
import { beginHolder, callerOf, setSession } from '../principal.ts'

const idOf = (c: EdgeContext) => c.req.param('id') as TotpId
const onWire = (instant: Instant | undefined) => (instant === undefined ? undefined : Math.floor(instant / 1000))

/** The proof that every change wants, as core names its parts. */
const proofOf = ({ ticket, assertion, current }: BodyOf<typeof operations.passwordRemove>) => ({
  ticket,
  assertion,
  current: current && { password: current.password, code: current.code, recoveryCode: current.recovery_code },
})

export function factorRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  pageCall(app, edge, operations.factors, async (c) => {
    const { passkeys, securityKeys, totps, passwords, factors, ...shown } = await showFactors(site, ports, callerOf(c))
    return {
      ...{ passkeys, security_keys: securityKeys, passwords, factors },
      password_changed_at: onWire(shown.passwordChangedAt),
      totps: totps.map(({ id, name, createdAt, lastUsedAt }) => ({
        ...{ id, name },
        created_at: Math.floor(createdAt / 1000),
        last_used_at: onWire(lastUsedAt),
      })),
      recovery_codes: shown.recoveryCodes,
      second_factor: shown.secondFactor,
    }
  })
  passwordRoutes(app, edge)
  totpRoutes(app, edge)
  pageCall(app, edge, operations.recoveryCodesBegin, async (c) =>
    beginRecoveryCodes(site, ports, callerOf(c), beginHolder(c, ports)),
  )
  pageCall(app, edge, operations.recoveryCodesMake, async (c, given) => {
    const done = await finishRecoveryCodes(site, ports, callerOf(c), proofOf(given))
    setSession(c, done.cookie, done.expiresAt, ports.now())
    return { codes: done.codes }
  })
}

/** The change gave the session a new id. */
function changed({ ports }: Edge, c: EdgeContext, { cookie, expiresAt }: ChangeDone) {
  setSession(c, cookie, expiresAt, ports.now())
  return { location: '/account' }
}

function passwordRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  pageCall(app, edge, operations.passwordSetBegin, async (c, { password }) =>
    beginPasswordSet(site, ports, callerOf(c), beginHolder(c, ports), password),
  )
  pageCall(app, edge, operations.passwordSet, async (c, { password, ...given }) => {
    const answer = { ...proofOf(given), password }
    return changed(edge, c, await finishPasswordSet(site, ports, callerOf(c), answer))
  })
  pageCall(app, edge, operations.passwordRemoveBegin, async (c) =>
    beginPasswordRemove(site, ports, callerOf(c), beginHolder(c, ports)),
  )
  pageCall(app, edge, operations.passwordRemove, async (c, given) =>
    changed(edge, c, await finishPasswordRemove(site, ports, callerOf(c), proofOf(given))),
  )
}

function totpRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  pageCall(app, edge, operations.totpAddBegin, async (c, { name }) =>
    beginTotpAdd(site, ports, callerOf(c), beginHolder(c, ports), name),
  )
  pageCall(app, edge, operations.totpAdd, async (c, { sealed, new_code, ...given }) => {
    const answer = { ...proofOf(given), sealed, newCode: new_code }
    return changed(edge, c, await finishTotpAdd(site, ports, callerOf(c), answer))
  })
  pageCall(app, edge, operations.totpRemoveBegin, async (c) =>
    beginTotpRemove(site, ports, callerOf(c), beginHolder(c, ports), idOf(c)),
  )
  pageCall(app, edge, operations.totpRemove, async (c, given) => {
    const answer = { ...proofOf(given), id: idOf(c) }
    return changed(edge, c, await finishTotpRemove(site, ports, callerOf(c), answer))
  })
}
