/** What time alone ends of a session: its whole life, a client that says nothing, and the login that opened it. */
import type { Constraints } from '../core/access/constraints.ts'
import { loginIsOver } from '../core/access/open-session.ts'
import { type Instant, seconds } from '../core/model.ts'
import type { EndCode } from './reasons.ts'
import { inWords } from './words.ts'

export interface Timed {
  readonly openedAt: Instant
  readonly loginEndsAt: Instant
  readonly now: () => Instant
  /** Those of now: a role may have changed since it opened. */
  readonly constraints: () => Constraints
  /** Whether the client has said something since this was asked before. */
  readonly heard: () => boolean
  readonly cut: (code: EndCode, message: string) => void
}

/** Looks again and again: a timer stands still while the machine sleeps, and a session's time does not. A function that ends it. */
export function watchTime(session: Timed): () => void {
  let heardAt = session.openedAt
  const look = () => {
    const now = session.now()
    // A clock that was set back gives nobody more time.
    if (session.heard() || now < heardAt) heardAt = now
    const over = whyOver(session, heardAt, now)
    if (over) session.cut(...over)
  }
  const timer = setInterval(look, seconds(1))
  return () => clearInterval(timer)
}

function whyOver(
  { openedAt, loginEndsAt, constraints }: Timed,
  heardAt: Instant,
  now: Instant,
): readonly [EndCode, string] | undefined {
  const { maxTtl, clientIdleTimeout, disconnectExpiredCert } = constraints()
  if (now >= openedAt + maxTtl) {
    return ['session_too_long', `A session lives ${inWords(maxTtl)} at most: connect again.`]
  }
  if (disconnectExpiredCert && now >= loginEndsAt) return ['login_over', loginIsOver().words]
  if (clientIdleTimeout === undefined || now < heardAt + clientIdleTimeout) return undefined
  const told = `Nothing has come from your side for ${inWords(clientIdleTimeout)}, which is as long as a role of yours allows: connect again.`
  return ['client_idle', told]
}
