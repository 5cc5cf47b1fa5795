/** core's port for logins of browsers and programs alike: ports.ts, continued. */
import { and, desc, eq } from 'drizzle-orm'
import type { ListedLogin } from '../core/admin-ports.ts'
import { nameKey } from '../core/login/name.ts'
import type { ClientSessionId, Instant, SessionId } from '../core/model.ts'
import type { Ports } from '../core/ports.ts'
import { about, actorGuards, type Make } from './batches.ts'
import { refusing } from './obstacles.ts'
import { auditRow, type ClientSessionRow, clientSessionOf, type SessionRow, sessionOf } from './rows.ts'
import { clientSessions, sessions, users } from './schema.ts'
import { sessionInUse } from './statements.ts'
import { rowsOf, type Store } from './store.ts'
import { runs } from './token-statements.ts'

export function loginsPort(store: Store, make: Make): Ports['logins'] {
  return {
    list: (which, now) => listLogins(store, which, now),
    end: async (actor, { id, owner, reason }, event) => {
      const { at, asking } = event
      const work = store.atomically([
        ...actorGuards(make, actor, event),
        make.loginRuns({ id, owner, at }),
        make.endSession({ target: id as SessionId, at }),
        make.endRunning({ id: id as ClientSessionId, at, reason, requestId: asking.requestId }),
        make.record(auditRow(event)),
      ])
      await refusing(about(event), work, { not_found: 'login_unknown' })
    },
  }
}

async function listLogins(
  { db, atomically }: Store,
  { id, userId, name }: Parameters<Ports['logins']['list']>[0],
  now: Instant,
): Promise<ListedLogin[]> {
  const owner = and(
    userId === undefined ? undefined : eq(users.id, userId),
    name === undefined ? undefined : eq(users.nameKey, nameKey(name)),
  )
  const answers = await atomically([
    db
      .select({ session: sessions, userName: users.name })
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(and(owner, id === undefined ? undefined : eq(sessions.id, id as SessionId), sessionInUse(now)))
      .orderBy(desc(sessions.openedAt)),
    db
      .select({ session: clientSessions, userName: users.name })
      .from(clientSessions)
      .innerJoin(users, eq(users.id, clientSessions.userId))
      .where(and(owner, id === undefined ? undefined : eq(clientSessions.id, id as ClientSessionId), runs(now)))
      .orderBy(desc(clientSessions.authenticatedAt)),
  ])
  const browsers = rowsOf<{ session: SessionRow; userName: string }>(answers[0]).map(browserOf)
  const programs = rowsOf<{ session: ClientSessionRow; userName: string }>(answers[1]).map(programOf)
  return [...browsers, ...programs].sort((a, b) => b.openedAt - a.openedAt)
}

function browserOf({ session, userName }: { session: SessionRow; userName: string }): ListedLogin {
  const { id, via, openedAt, lastSeenAt, expiresAt, origin } = sessionOf(session)
  const user = { id: session.userId, name: userName }
  return { id, kind: 'browser', user, clientId: undefined, via, openedAt, lastSeenAt, expiresAt, origin }
}

function programOf({ session, userName }: { session: ClientSessionRow; userName: string }): ListedLogin {
  const { id, clientId, via, authenticatedAt: openedAt, expiresAt, origin } = clientSessionOf(session)
  const user = { id: session.userId, name: userName }
  return { id, kind: 'program', user, clientId, via, openedAt, lastSeenAt: session.rotatedAt, expiresAt, origin }
}
