/** What programs do with an access token. */
import { listDocuments, putDocuments, removeDocument } from '../../core/access/catalog.ts'
import { clusterStatus, rotateKeys } from '../../core/access/cluster.ts'
import { inviteUser, removeUser, userState } from '../../core/access/users.ts'
import { operations } from '../../core/api/operations.ts'
import type { Instant } from '../../core/model.ts'
import { Refusal } from '../../core/refusal.ts'
import { parseSentTap, tapHeader } from '../../core/tap/sent.ts'
import { beginWaiting } from '../../core/tap/waiting.ts'
import type { App, Edge } from '../edge.ts'
import { tokenCall } from '../token-call.ts'

const inSeconds = (at: Instant): number => Math.floor(at / 1000)

export function administrationRoutes(app: App, edge: Edge): void {
  meRoutes(app, edge)
  userRoutes(app, edge)
  documentRoutes(app, edge)
  clusterRoutes(app, edge)
}

function meRoutes(app: App, edge: Edge): void {
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
        passkeys: user.passkeys,
        created_at: inSeconds(user.createdAt),
      })),
    }
  })
  tokenCall(app, edge, operations.userAdd, async ({ c, principal, body, json }) => {
    const { name, invite, expiresAt } = await inviteUser(
      site,
      ports,
      principal,
      body,
      json,
      parseSentTap(c.req.header(tapHeader)),
    )
    return { name, invite, expires_at: inSeconds(expiresAt), link: `${site.origin}/invite` }
  })
  tokenCall(app, edge, operations.userRemove, async ({ c, principal }) => {
    const name = c.req.param('name') ?? ''
    await removeUser(ports, principal, name)
    return { name }
  })
}

function documentRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  tokenCall(app, edge, operations.documentsList, async ({ query }) => ({
    documents: await listDocuments(ports, query),
  }))
  tokenCall(app, edge, operations.documentsPut, async ({ principal, body: { force, ...body } }) =>
    putDocuments(site, ports, principal, { ...body, force: force ?? false }),
  )
  tokenCall(app, edge, operations.documentRemove, async ({ c, principal, query }) => {
    const { kind = '', name = '' } = c.req.param()
    const lost = await removeDocument(site, ports, principal, { kind, name, force: query.force === 'true' })
    return { kind, name, lost }
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
  tokenCall(app, edge, operations.keysRotate, async ({ principal }) => rotateKeys(ports, principal))
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
