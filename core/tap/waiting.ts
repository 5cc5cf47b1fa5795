/**
 * A tap for a program that waits: it asks for the ticket of one administrative request, the page shows the intent out of the
 * ticket to the same user and taps, and the browser carries the tap to the program's loopback address. Nothing is written
 * until the request itself comes with it.
 */
import { foreseenSubject, isAction, mayTap } from '../access/action.ts'
import { type Principal, requireNeeds } from '../access/principal.ts'
import { sessionInWords } from '../access/session-words.ts'
import { operations } from '../api/operations.ts'
import { recordingRefusals } from '../audit.ts'
import type { AddTotpSubject, AdminSubject, Intent, Json } from '../intent.ts'
import { beginIntent, readTicket } from '../login/ceremony.ts'
import { requestOptions } from '../login/options.ts'
import { withSite } from '../login/with-preference.ts'
import { type Instant, minutes, type Site, seconds, type User } from '../model.ts'
import { answerAt, isLoopbackRedirect } from '../oauth/clients.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'

const ttl = minutes(5)
/** The page that shows a ticket. */
const approvePage = '/approve'

export interface WaitingAsk {
  readonly operation: string
  readonly body: Json
  readonly redirect_uri: string
  readonly state: string
}

type BeginNeeds = Pick<
  Ports,
  'keys' | 'random' | 'now' | 'users' | 'documents' | 'credentials' | 'factors' | 'preferences' | 'audit'
>

/** @throws Refusal bad_request, redirect_invalid, and what the action itself would refuse: so nobody taps in vain */
export function beginWaiting(
  site: Site,
  ports: BeginNeeds,
  principal: Principal,
  { operation, body, redirect_uri, state }: WaitingAsk,
): Promise<{ ticket: string; approve_url: string }> {
  const { jkt, user, asking } = principal
  return recordingRefusals(ports, asking, 'tap.begin', async () => {
    if (!isAction(operation)) throw new Refusal('bad_request', { why: 'body.operation: no action that wants a tap' })
    requireNeeds(ports, principal, operations[operation].needs)
    const subject = await withSite(site, ports, (here, preference) => {
      return foreseenSubject(
        { ...ports, under: { site: here, preference } },
        operation,
        user,
        body,
        asking.from.address,
      )
    })
    const { ticket } = beginIntent(site, ports, { purpose: 'admin', user: user.id, holder: jkt, subject, ttl })
    return { ticket, approve_url: approveUrl(site, ticket, { redirect_uri, state }) }
  })
}

/** The page that shows a ticket, and where it sends the tap. @throws Refusal redirect_invalid */
export function approveUrl(
  { origin }: Site,
  ticket: string,
  { redirect_uri, state }: { readonly redirect_uri: string; readonly state: string },
): string {
  if (!isLoopbackRedirect(redirect_uri)) throw new Refusal('redirect_invalid')
  return `${origin}${approvePage}?${new URLSearchParams({ ticket, redirect_uri, state })}`
}

/** What a program may wait for. */
export type WaitingIntent = Intent<'admin'> | Intent<'session'> | NewTotpIntent
/** Of purpose `register` nothing else is begun by a program. */
export type NewTotpIntent = Intent<'register'> & { readonly subject: AddTotpSubject }

export interface Waiting {
  readonly intent: WaitingIntent
  /** Whether it may still be tapped. */
  readonly isOpen: boolean
}

/** For the page: whose it is and what it says. @throws Refusal ticket_invalid, wrong_purpose */
export function readWaiting(ports: Pick<Ports, 'keys' | 'now'>, ticket: string): Waiting {
  const intent = readTicket(ports, ticket)
  if (!isOfProgram(intent)) throw new Refusal('wrong_purpose', { intent: intent.id })
  return { intent, isOpen: ports.now() < seconds(intent.exp) }
}

/** A page's own intents have no address. */
function isOfProgram(intent: Intent): intent is WaitingIntent {
  const { purpose, subject } = intent
  if (purpose === 'session') return true
  if (purpose === 'admin') return (subject as AdminSubject).address !== undefined
  const { kind, address } = subject as Partial<AddTotpSubject>
  return purpose === 'register' && kind === 'totp' && address !== undefined
}

/** One line: what the person approves. */
export function summaryOf(intent: WaitingIntent): string {
  if (intent.purpose === 'admin') return (intent as Intent<'admin'>).subject.summary
  if (intent.purpose === 'register') return `Add the authenticator app "${(intent as NewTotpIntent).subject.name}"`
  return sessionInWords((intent as Intent<'session'>).subject)
}

type PageNeeds = Pick<Ports, 'keys' | 'now' | 'preferences' | 'sessions' | 'audit'>

/** @throws Refusal session_missing, wrong_user, passkey_missing, tap_impossible, passkeys_elsewhere */
export function waitingOptions(site: Site, ports: PageNeeds, { asking, claim }: Caller, ticket: string) {
  return recordingRefusals(ports, asking, 'tap.begin', async () => {
    const { intent } = readWaiting(ports, ticket)
    const account = claim && (await ports.sessions.findWithPasskeys(claim, ports.now()))
    if (!account) throw new Refusal('session_missing')
    requireSameUser(intent, account.user)
    if (ports.now() >= seconds(intent.exp)) throw new Refusal('ticket_expired', { intent: intent.id })
    const all = account.credentials
    if (all.length === 0) throw new Refusal('passkey_missing', { user: account.user.id })
    const able = intent.purpose === 'admin' ? mayTap((intent as Intent<'admin'>).subject, all) : all
    if (able.length === 0) throw new Refusal('tap_impossible', { user: account.user.id })
    const timeout = seconds(intent.exp) - ports.now()
    return withSite(site, ports, async (here) => ({ options: requestOptions(here, intent, timeout, able) }))
  })
}

/** @throws Refusal session_missing, wrong_user, redirect_invalid */
export function refuseWaiting(
  site: Site,
  ports: PageNeeds,
  { asking, claim }: Caller,
  { ticket, redirect_uri, state }: { readonly ticket: string; readonly redirect_uri: string; readonly state: string },
): Promise<{ location: string }> {
  return recordingRefusals(ports, asking, 'tap.refuse', async () => {
    if (!isLoopbackRedirect(redirect_uri)) throw new Refusal('redirect_invalid')
    const { intent } = readWaiting(ports, ticket)
    const user = claim && (await ports.sessions.find(claim, ports.now()))
    if (!user) throw new Refusal('session_missing')
    requireSameUser(intent, user)
    const at: Instant = ports.now()
    const detail = { summary: summaryOf(intent) }
    const who = { userId: user.id, intentId: intent.id }
    await ports.audit.record({ at, kind: 'tap.refuse', outcome: 'done', asking, ...who, detail })
    return { location: answerAt(redirect_uri, { error: 'access_denied', state, iss: site.origin }) }
  })
}

/** Somebody else at the same browser must not even be asked. */
function requireSameUser(intent: Intent, user: User): void {
  if (intent.user !== user.id) throw new Refusal('wrong_user', { user: user.id, intent: intent.id })
}
