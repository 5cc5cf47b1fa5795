/** The sessions of this process, from before the resource is dialled. With each change of what is known every one is decided again. */
import type { Constraints } from '../core/access/constraints.ts'
import { loginIsOver, requireAllowed } from '../core/access/open-session.ts'
import type { SessionGrant } from '../core/issue/grant.ts'
import type { ClientSessionId, Duration, Instant } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import { OpenSet } from './open-set.ts'
import type { EndCode } from './reasons.ts'
import { locksUnknown, type Trusting, type Watched } from './trust.ts'

export interface Session {
  /** As it is told to the edge. */
  readonly id: string
  readonly grant: SessionGrant
  /** Where its connection comes from. */
  readonly address: string
  /** As it was allowed last. */
  readonly constraints: Constraints
  /** It is still allowed, from now on so. @throws Refusal session_refused where that does not reach what was dialled */
  hold(constraints: Constraints): void
  /** Ends it at once, in whatever state; `message` is for the person. */
  cut(code: EndCode, message: string): void
}

export interface Sessions {
  /**
   * Counts and lists it at once: of many that come together no more get in than there may be. A function that takes it out again.
   * @throws Refusal unavailable: there are too many; session_refused: of this user
   */
  add(session: Session): () => void
  /** Cuts what is allowed no longer; where `isStale`, also what wants the newest locks. */
  review(trusting: Trusting, now: Instant, isStale: boolean): void
  /** Gives those that are open a while, then cuts the rest. */
  stop(after: Duration): Promise<void>
  /** Cuts those of certificates that open as often as they are shown, of that login. */
  endCertified(login: ClientSessionId): void
  readonly count: number
  readonly watched: Watched
}

export function makeSessions(most: number): Sessions {
  const open = new OpenSet<Session>()
  const stopped = 'The proxy is being stopped: connect again in a moment.'
  return {
    get count() {
      return open.size
    },
    add: (session) => {
      if (open.size >= most) {
        throw new Refusal(
          'unavailable',
          { why: 'too_many_sessions' },
          { told: 'This proxy has as many sessions as it can.' },
        )
      }
      requireRoom(open, session)
      return open.add(session)
    },
    review: ({ known }, now, isStale) => {
      for (const session of open) {
        const message = whyNotAllowed(() => {
          const { grant, address } = session
          const { constraints } = requireAllowed(known, grant, { address, now })
          if (isStale && constraints.strictLocks) throw locksUnknown()
          session.hold(constraints)
        })
        if (message !== undefined) session.cut('session_cut', message)
      }
    },
    endCertified: (login) => {
      for (const session of open) {
        const { uses, login: its } = session.grant
        if (uses.most === undefined && its.id === login) session.cut('login_over', certificateIsOver)
      }
    },
    watched: watching(open),
    stop: async (after) => {
      await open.drained(after)
      for (const session of open) session.cut('proxy_stopping', stopped)
    },
  }
}

const certificateIsOver = 'The login that this certificate comes from was ended: sallyport login.'
const ended = 'This session was ended, by its user or an administrator.'

const watching = (open: Iterable<Session>): Watched => {
  /** Those that end with their login. */
  const bound = () => [...open].filter(({ constraints }) => constraints.disconnectExpiredCert)
  return {
    get logins() {
      return [...new Set(bound().map(({ grant }) => grant.login.id))]
    },
    ended: ({ logins, sessions }) => {
      for (const session of open) if (sessions.has(session.id)) session.cut('session_ended', ended)
      for (const session of bound()) {
        if (logins.has(session.grant.login.id)) session.cut('login_over', loginIsOver().words)
      }
    },
  }
}

function requireRoom(open: Iterable<Session>, { grant, constraints }: Session): void {
  const { maxConnections, maxSessions } = constraints
  if (maxConnections === undefined && maxSessions === undefined) return
  const { name } = grant.subject.resource
  const ofUser = [...open].filter((one) => one.grant.user === grant.user)
  const onThis = ofUser.filter((one) => one.grant.subject.resource.name === name)
  requireFewer(ofUser.length, maxConnections, 'max_connections', 'at this proxy')
  requireFewer(onThis.length, maxSessions, 'max_sessions', `on ${name} at this proxy`)
}

function requireFewer(count: number, most: number | undefined, why: string, where: string): void {
  if (most === undefined || count < most) return
  const open = count === 1 ? '1 session is open' : `${count} sessions are open`
  const told = `${open} ${where} in your name, and a role of yours allows ${most} (${why}): end one, and connect again.`
  throw new Refusal('session_refused', { why, count, most }, { told })
}

function whyNotAllowed(check: () => unknown): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error.words
    throw error
  }
}
