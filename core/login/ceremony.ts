/** The steps that all ceremonies share: make an intent and its ticket, read a ticket back, open a session. */
import {
  type AdminSubject,
  canonicalJson,
  type Intent,
  openTicket,
  type Purpose,
  type Subjects,
  sealTicket,
} from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import {
  type Duration,
  type Holder,
  hours,
  minutes,
  type Origin,
  type SessionId,
  type Site,
  seconds,
  type UserId,
} from '../model.ts'
import type { NewSession, Ports, Spend } from '../ports.ts'
import { Refusal } from '../refusal.ts'

/** A browser session ends after this, whatever is done in it. */
export const sessionTtl: Duration = hours(12)

/**
 * It ends sooner when no request of it came for so long: NIST SP 800-63B-4 section 2.2.3 advises an hour. A cookie opens pages and
 * approves nothing, so less would cost taps and guard nothing.
 */
export const idleTtl: Duration = hours(1)
/** How exactly the last request is known: a session that is in use is written to once in that time, and not at each request. */
export const seenEvery: Duration = minutes(1)

/** The value of the session cookie. The secret's hash is all that the database knows. */
export type SessionCookie = string & { readonly secret: unique symbol }

interface Begin<P extends Purpose> {
  readonly purpose: P
  readonly user?: UserId
  readonly holder: Holder
  readonly subject: Subjects[P]
  readonly ttl: Duration
}

export function beginIntent<P extends Purpose>(
  site: Site,
  { keys, random, now }: Pick<Ports, 'keys' | 'random' | 'now'>,
  { ttl, ...about }: Begin<P>,
): { intent: Intent<P>; ticket: string } {
  const iat = Math.floor(now() / 1000)
  const intent: Intent<P> = {
    v: 1,
    cluster: site.cluster,
    id: base64url(random(16)),
    ...about,
    iat,
    exp: iat + ttl / 1000,
  }
  return { intent, ticket: sealTicket(keys.ticket, intent) }
}

/** @throws Refusal ticket_invalid: not sealed by this cluster's key. Whether it fits is verifyTap's to say. */
export function readTicket({ keys }: Pick<Ports, 'keys'>, ticket: string): Intent {
  const opened = openTicket(keys.ticket, ticket)
  if (opened.kind !== 'value')
    throw new Refusal('ticket_invalid', { why: opened.kind === 'invalid' ? opened.why : 'ticket: form' })
  return opened.value
}

/** An id stays spent for an hour longer than its ticket could be used by the slowest clock. */
export const spendOf = (intent: Intent): Spend => ({ id: intent.id, expiresAt: seconds(intent.exp) + hours(1) })

export function newSession(
  { random, now }: Pick<Ports, 'random' | 'now'>,
  from: Origin,
): { session: NewSession; cookie: SessionCookie } {
  const drawn = random(48)
  const [id, secret] = [base64url(drawn.subarray(0, 16)) as SessionId, drawn.subarray(16)]
  const session = { id, secretHash: sha256(secret), openedAt: now(), from }
  return { session, cookie: `${id}.${base64url(secret)}` as SessionCookie }
}

/** A request of a page whose path says all: what a tap approves that removes something. */
export const emptyRequest = (path: string, revision: string, summary: string): AdminSubject => ({
  method: 'POST',
  path,
  body_hash: base64url(sha256(canonicalJson({}))),
  revision,
  summary,
})
