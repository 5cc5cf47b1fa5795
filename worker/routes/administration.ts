/** What programs do with an access token. */
import { listDocuments, putDocuments, removeDocument } from '../../core/access/catalog.ts'
import { clusterStatus, rotateKeys } from '../../core/access/cluster.ts'
import { endAnyLogin } from '../../core/access/logins.ts'
import { endAnySession } from '../../core/access/open-sessions.ts'
import { entrustPasskey, passkeysOf } from '../../core/access/passkeys.ts'
import { inviteUser, type OneTimeLink, removeUser, resetUser, userState } from '../../core/access/users.ts'
import { operations } from '../../core/api/operations.ts'
import { providerOf } from '../../core/login/providers.ts'
import { Refusal } from '../../core/refusal.ts'
import type { App, Edge } from '../edge.ts'
import { tokenCall } from '../token-call.ts'
import { inSeconds, loginView, ownRoutes, sessionView } from './own.ts'

export function administrationRoutes(app: App, edge: Edge): void {
  ownRoutes(app, edge)
  userRoutes(app, edge)
  passkeyRoutes(app, edge)
  loginRoutes(app, edge)
  sessionRoutes(app, edge)
  documentRoutes(app, edge)
  clusterRoutes(app, edge)
}

function userRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  tokenCall(app, edge, operations.usersList, async () => {
    const users = await ports.users.list(ports.now())
    return {
      users: users.map((user) => ({
        name: user.name,
        roles: user.roles,
        state: userState(user),
        locked_by: user.lockedBy,
        passkeys: user.passkeys,
        link: user.link && { kind: user.link.kind, expires_at: inSeconds(user.link.expiresAt) },
        created_at: inSeconds(user.createdAt),
      })),
    }
  })
  tokenCall(app, edge, operations.factorsList, async ({ query }) => ({
    factors: (await ports.users.factors(query.user)).map(({ aaguid, createdAt, lastUsedAt, ...factor }) => ({
      ...factor,
      make: aaguid && providerOf(aaguid),
      created_at: inSeconds(createdAt),
      last_used_at: lastUsedAt && inSeconds(lastUsedAt),
    })),
  }))
  tokenCall(app, edge, operations.userAdd, async ({ principal, body, request }) =>
    linked(edge, await inviteUser(site, ports, principal, body, request)),
  )
  tokenCall(app, edge, operations.userReset, async ({ principal, body, request }) =>
    linked(edge, await resetUser(site, ports, principal, body, request)),
  )
  tokenCall(app, edge, operations.userRemove, async ({ c, principal, request }) => {
    const name = c.req.param('name') ?? ''
    await removeUser(site, ports, principal, name, request)
    return { name }
  })
}

/** Without the private half of its key, which whoever asked for it has. */
export function linked({ site }: Pick<Edge, 'site'>, { name, invite, expiresAt }: OneTimeLink) {
  return { name, invite, expires_at: inSeconds(expiresAt), link: `${site.origin}/invite` }
}

function passkeyRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  tokenCall(app, edge, operations.passkeysList, async ({ c }) => ({
    passkeys: (await passkeysOf(ports, c.req.param('name') ?? '')).all.map((passkey) => ({
      name: passkey.name,
      make: providerOf(passkey.aaguid),
      synced: passkey.backedUp,
      may_vouch: passkey.mayVouch,
      fingerprint: passkey.fingerprint,
      created_at: inSeconds(passkey.createdAt),
      last_used_at: passkey.lastUsedAt && inSeconds(passkey.lastUsedAt),
    })),
  }))
  tokenCall(app, edge, operations.passkeyEntrust, async ({ c, principal, body, request }) => {
    const naming = { user: c.req.param('name') ?? '', passkey: body.passkey }
    return entrustPasskey(site, ports, principal, naming, request)
  })
}

function loginRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  tokenCall(app, edge, operations.loginsList, async ({ principal, query: { user } }) => ({
    logins: (await ports.logins.list({ name: user }, ports.now())).map((one) => loginView(edge, principal, one)),
  }))
  tokenCall(app, edge, operations.loginEnd, async ({ c, principal, request }) =>
    loginView(edge, principal, await endAnyLogin(site, ports, principal, c.req.param('id') ?? '', request)),
  )
}

function sessionRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  tokenCall(app, edge, operations.openSessionsList, async ({ query: { user } }) => ({
    sessions: (await ports.openSessions.list({ name: user }, ports.now())).map(sessionView),
  }))
  tokenCall(app, edge, operations.openSessionEnd, async ({ c, principal, request }) =>
    sessionView(await endAnySession(site, ports, principal, c.req.param('id') ?? '', request)),
  )
}

function documentRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  tokenCall(app, edge, operations.documentsList, async ({ principal, query }) => ({
    documents: await listDocuments(ports, principal, query),
  }))
  tokenCall(app, edge, operations.documentsPut, async ({ principal, body: { force, ...body }, request }) =>
    putDocuments(site, ports, principal, { ...body, force: force ?? false }, request),
  )
  tokenCall(app, edge, operations.documentRemove, async ({ c, principal, query, request }) => {
    const { kind = '', name = '' } = c.req.param()
    const removal = { kind, name, force: query.force === 'true' }
    const taken = await removeDocument(site, ports, principal, removal, request)
    return { kind, name, ...taken }
  })
}

const mostEvents = 1000

function clusterRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  tokenCall(app, edge, operations.cluster, async () => {
    const { roots, keys } = await clusterStatus(ports)
    return {
      cluster: site.cluster,
      issuer: site.origin,
      roots,
      keys: keys.map(({ since, ...key }) => ({ ...key, since: inSeconds(since) })),
    }
  })
  tokenCall(app, edge, operations.proxiesList, async () => ({
    proxies: (await ports.proxies.list()).map(({ id, name, registeredAt }) => ({
      ...{ id, name, registered_at: inSeconds(registeredAt) },
    })),
  }))
  tokenCall(app, edge, operations.keysRotate, async ({ principal, request }) =>
    rotateKeys(site, ports, principal, request),
  )
  tokenCall(app, edge, operations.auditList, async ({ query: { before, limit, user, kind } }) => {
    const most = Math.min(wholeOf(limit ?? '50', 'query.limit'), mostEvents)
    const from = wholeOf(before ?? String(Number.MAX_SAFE_INTEGER), 'query.before')
    const events = await ports.audit.list({ before: from, limit: most, user, kind })
    return {
      events: events.map(({ at, from: { address, place, browser }, requestId, detail, ...event }) => ({
        ...event,
        ...{ address, place, browser, request_id: requestId, detail },
        at: new Date(at).toISOString(),
      })),
      next: events.length === most ? events.at(-1)?.seq : undefined,
    }
  })
}

function wholeOf(text: string, path: string): number {
  const number = Number(text)
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(number) || number < 1) {
    throw new Refusal('bad_request', { why: `${path}: a whole number from 1 on` })
  }
  return number
}
