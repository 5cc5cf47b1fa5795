/** What proxies ask, and sessions that programs ask for. */
import { type SnapshotMemory, stateSnapshot } from '../../core/access/cluster-snapshot.ts'
import { acceptProxy } from '../../core/access/proxies.ts'
import { beginSession, hostsInReach, reachableResources } from '../../core/access/request-session.ts'
import { beginSessionSet } from '../../core/access/request-session-set.ts'
import { recordProxyEvents } from '../../core/access/session-events.ts'
import { requirePrincipal } from '../../core/access/session-principal.ts'
import { operations } from '../../core/api/operations.ts'
import type { Json } from '../../core/intent.ts'
import type { Holder } from '../../core/model.ts'
import { readJson } from '../body.ts'
import type { App, Edge } from '../edge.ts'
import { limitingFailures } from '../page-call.ts'
import { proxyCall } from '../proxy-call.ts'
import { route } from '../route.ts'
import { tokenCall } from '../token-call.ts'

export const noLists = {
  logins: undefined,
  db_users: undefined,
  db_names: undefined,
  kubernetes_users: undefined,
  kubernetes_groups: undefined,
  windows_desktop_logins: undefined,
} as const

const failures: ReadonlySet<string> = new Set(['refused'])

export function proxyRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  const memory: SnapshotMemory = {}
  route(app, operations.proxyAdd, (c) =>
    limitingFailures(edge, c, edge.programs, failures, async () => {
      const { proof, ...asked } = operations.proxyAdd.body(await readJson(c, edge.lengthsHold), 'body')
      const { id } = await acceptProxy(site, ports, c.get('asking'), asked, proof)
      return c.json({ id, keys: (await ports.keyring.published()).map(({ x }) => x) })
    }),
  )
  proxyCall(app, edge, operations.proxySnapshot, async ({ proxy, body }) => {
    const { statement, snapshot } = await stateSnapshot(site, ports, memory, { proxy, ...body })
    return { statement, snapshot: snapshot as unknown as Json | undefined }
  })
  proxyCall(app, edge, operations.proxyEvents, async ({ c, proxy, body }) => ({
    accepted: await recordProxyEvents(ports, proxy, c.get('asking'), body.events),
  }))
  tokenCall(app, edge, operations.resourcesList, async ({ principal, query }) => {
    const resources = await reachableResources(ports, principal, query.impersonate)
    return {
      resources: resources.map(({ document, allowed, tap }) => ({
        kind: document.kind,
        name: document.metadata.name,
        description: document.metadata.description,
        labels: document.metadata.labels ?? {},
        protocol: document.kind === 'db' ? document.spec.protocol : undefined,
        allowed: { ...noLists, ...allowed },
        tap,
      })),
    }
  })
  tokenCall(app, edge, operations.hostsList, async ({ principal, query }) => {
    const hosts = await hostsInReach(ports, principal, query.impersonate)
    return {
      hosts: hosts.map(({ rule, role, tap }) => ({
        name: rule.name,
        ports: (rule.ports ?? []).map(String),
        networks: rule.networks && [...rule.networks],
        ...{ role, tap },
      })),
    }
  })
  tokenCall(app, edge, operations.sessionBegin, async ({ principal, body }) => {
    const { redirect_uri, state, resource, proxy, impersonate } = body
    const certificate = body.certificate && { ...body.certificate, key: body.certificate.key as Holder }
    const as = requirePrincipal(resource.kind, body.principal)
    const ask = { resource, principal: as, proxy, impersonate, certificate }
    const begun = await beginSession(site, ports, principal, ask, { redirect_uri, state })
    return { tap: begun !== undefined, ticket: begun?.ticket, approve_url: begun?.approve_url }
  })
  tokenCall(app, edge, operations.sessionSetBegin, async ({ principal, body }) => {
    const { redirect_uri, state, proxy, impersonate } = body
    const sessions = body.sessions.map(({ resource, principal: as, count }) => {
      return { resource, principal: requirePrincipal(resource.kind, as), count }
    })
    const begun = await beginSessionSet(
      site,
      ports,
      principal,
      { sessions, proxy, impersonate },
      { redirect_uri, state },
    )
    return { tap: begun !== undefined, ticket: begun?.ticket, approve_url: begun?.approve_url }
  })
}
