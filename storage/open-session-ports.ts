/** core's port for sessions on resources that are open at proxies: ports.ts, continued. */
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import type { ListedSession } from '../core/admin-ports.ts'
import { nameKey } from '../core/login/name.ts'
import type { Instant } from '../core/model.ts'
import type { Ports } from '../core/ports.ts'
import { about, actorGuards, type Make } from './batches.ts'
import { refusing } from './obstacles.ts'
import { isOpen } from './open-session-statements.ts'
import { auditRow } from './rows.ts'
import { openSessions, proxies, users } from './schema.ts'
import type { Store } from './store.ts'

const o = openSessions

export function openSessionsPort(store: Store, make: Make): Ports['openSessions'] {
  return {
    list: (which, now) => listSessions(store, which, now),
    end: async (actor, { id, owner }, event) => {
      const { at } = event
      const work = store.atomically([
        ...actorGuards(make, actor, event),
        make.openSessionIs({ id, owner, at }),
        make.endOpenSession({ id, at }),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work, { not_found: 'session_unknown' })
    },
  }
}

async function listSessions(
  { db }: Store,
  { id, userId, name }: Parameters<Ports['openSessions']['list']>[0],
  now: Instant,
): Promise<ListedSession[]> {
  const rows = await db
    .select({ session: o, userName: users.name, proxyName: proxies.name })
    .from(o)
    .innerJoin(users, eq(users.id, o.userId))
    .innerJoin(proxies, eq(proxies.id, o.proxyId))
    .where(
      and(
        id === undefined ? undefined : eq(o.id, id),
        userId === undefined ? undefined : eq(o.userId, userId),
        name === undefined ? undefined : eq(users.nameKey, nameKey(name)),
        isNull(proxies.removedAt),
        isOpen(sql`${now}`),
      ),
    )
    .orderBy(desc(o.openedAt))
  return rows.map(({ session, userName, proxyName }) => {
    const { userId: owner, kind, resource, principal, impersonated, address, openedAt } = session
    return {
      id: session.id,
      user: { id: owner, name: userName },
      resource: { kind, name: resource },
      principal,
      impersonated: impersonated ?? undefined,
      proxy: proxyName,
      address,
      openedAt,
    }
  })
}
