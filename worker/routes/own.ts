/** What a program asks about its own user, and may change there. */

import { endOwnLogin } from '../../core/access/logins.ts'
import { endOwnSession } from '../../core/access/open-sessions.ts'
import { listFactors, removeFactor } from '../../core/access/own-factors.ts'
import { beginOwnTotp, finishOwnTotp } from '../../core/access/own-totp.ts'
import type { Principal } from '../../core/access/principal.ts'
import type { ListedLogin, ListedSession } from '../../core/admin-ports.ts'
import { operations } from '../../core/api/operations.ts'
import type { Instant } from '../../core/model.ts'
import { beginWaiting } from '../../core/tap/waiting.ts'
import type { App, Edge } from '../edge.ts'
import { tokenCall } from '../token-call.ts'

export const inSeconds = (at: Instant): number => Math.floor(at / 1000)

/** As programs read it. */
export const sessionView = ({ user, openedAt, ...session }: ListedSession) => ({
  ...session,
  user: user.name,
  opened_at: inSeconds(openedAt),
})

export function loginView({ clients }: Edge, { session }: Principal, login: ListedLogin) {
  const { id, kind, user, clientId, via, openedAt, lastSeenAt, expiresAt, origin } = login
  const program = clientId === undefined ? undefined : (clients.get(clientId)?.name ?? clientId)
  return {
    ...{ id, kind, via, user: user.name, client: program ?? origin.browser },
    ...{ address: origin.address, place: origin.place },
    opened_at: inSeconds(openedAt),
    last_seen_at: inSeconds(lastSeenAt),
    expires_at: inSeconds(expiresAt),
    this_one: id === session.id,
  }
}

export function ownRoutes(app: App, edge: Edge): void {
  const { site, ports, clients } = edge
  tokenCall(app, edge, operations.me, async ({ principal: { user, roles, session } }) => ({
    user,
    cluster: site.cluster,
    roles,
    client: clients.get(session.clientId)?.name ?? session.clientId,
    via: session.via,
    auth_time: inSeconds(session.authenticatedAt),
    valid_until: inSeconds(session.expiresAt),
  }))
  tokenCall(app, edge, operations.tapBegin, async ({ principal, body }) => beginWaiting(site, ports, principal, body))
  tokenCall(app, edge, operations.ownLogins, async ({ principal }) => ({
    logins: (await ports.logins.list({ userId: principal.user.id }, ports.now())).map((one) =>
      loginView(edge, principal, one),
    ),
  }))
  tokenCall(app, edge, operations.ownLoginEnd, async ({ c, principal }) =>
    loginView(edge, principal, await endOwnLogin(ports, principal, c.req.param('id') ?? '')),
  )
  tokenCall(app, edge, operations.ownOpenSessions, async ({ principal }) => ({
    sessions: (await ports.openSessions.list({ userId: principal.user.id }, ports.now())).map(sessionView),
  }))
  tokenCall(app, edge, operations.ownOpenSessionEnd, async ({ c, principal }) =>
    sessionView(await endOwnSession(ports, principal, c.req.param('id') ?? '')),
  )
  factorRoutes(app, edge)
}

function factorRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  tokenCall(app, edge, operations.ownFactors, async ({ principal }) => {
    const { factors, recoveryCodes } = await listFactors(ports, principal)
    return {
      factors: factors.map(({ createdAt, lastUsedAt, ...factor }) => ({
        ...factor,
        created_at: inSeconds(createdAt),
        last_used_at: lastUsedAt && inSeconds(lastUsedAt),
      })),
      recovery_codes: recoveryCodes,
    }
  })
  tokenCall(app, edge, operations.ownTotpBegin, async ({ principal, body }) =>
    beginOwnTotp(site, ports, principal, body),
  )
  tokenCall(app, edge, operations.ownTotpAdd, async ({ principal, body: { sealed, new_code: newCode }, request }) =>
    finishOwnTotp(site, ports, principal, { sealed, newCode }, request.sent),
  )
  tokenCall(app, edge, operations.factorRemove, async ({ principal, body, request }) => {
    await removeFactor(site, ports, principal, body, request)
    return { name: body.name }
  })
}
