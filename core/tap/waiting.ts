/**
 * A tap for a program that waits: it asks for the ticket of one administrative request, the page shows the intent out of the
 * ticket to the same user and taps, and the browser carries the tap to the program's loopback address. Nothing is written
 * until the request itself comes with it.
 */
import { type ActionName, type Foresight, foreseenSubject, isAction, mayTap, type Naming } from '../access/action.ts'
import { type Principal, requireNeeds, requireRecent } from '../access/principal.ts'
import { approvedInWords } from '../access/session-words.ts'
import { operations } from '../api/operations.ts'
import { recordingRefusals } from '../audit.ts'
import type { AddTotpSubject, AdminSubject, Intent } from '../intent.ts'
import { base64url, utf8 } from '../lib/bytes.ts'
import { deflate } from '../lib/deflate.ts'
import { beginIntent, readTicket } from '../login/ceremony.ts'
import { requestOptions } from '../login/options.ts'
import { withSite } from '../login/with-preference.ts'
import { type Credential, type Holder, type Instant, minutes, type Site, seconds, type User } from '../model.ts'
import { answerAt, isLoopbackRedirect } from '../oauth/clients.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { approveUrl } from './approve-url.ts'

const ttl = minutes(5)
/** Of the difference, packed: what has more makes a link that no terminal shows. */
const longestPacked = 40_960

export interface WaitingAsk extends Naming {
  readonly operation: string
  readonly redirect_uri: string
  readonly state: string
}

type BeginNeeds = Foresight & Pick<Ports, 'keys' | 'random' | 'audit'>

export interface WaitingBegun {
  /** False where a login as recent as this one is enough, or nothing would change. */
  readonly tap: boolean
  readonly ticket: string | undefined
  readonly approve_url: string | undefined
  /** The difference in full. */
  readonly changes: string | undefined
}

const notNeeded: WaitingBegun = { tap: false, ticket: undefined, approve_url: undefined, changes: undefined }

/** @throws Refusal bad_request, redirect_invalid, and what the action itself would refuse: so nobody taps in vain */
export function beginWaiting(
  site: Site,
  ports: BeginNeeds,
  principal: Principal,
  { operation, redirect_uri, state, ...naming }: WaitingAsk,
): Promise<WaitingBegun> {
  const { jkt, user, asking } = principal
  return recordingRefusals(ports, asking, 'tap.begin', async () => {
    if (!isAction(operation)) throw new Refusal('bad_request', { why: 'body.operation: no action that wants a tap' })
    requireNeeds(principal, operations[operation].needs)
    if (!(await wantsTap(ports, operation))) {
      requireRecent(ports, principal)
      return notNeeded
    }
    const foreseen = await foreseenSubject(site, ports, operation, principal, naming)
    const { changes } = foreseen
    // Nothing would be another than it is.
    if (changes === '') return notNeeded
    const packed = base64url(await deflate(utf8(changes)))
    const isShown = packed.length <= longestPacked
    const unshown = isShown ? {} : { unshown_lines: changes.split('\n').length }
    const subject = { ...foreseen.subject, ...unshown }
    await requireAble(ports, subject, user)
    const { ticket } = beginIntent(site, ports, { purpose: 'admin', user: user.id, holder: jkt, subject, ttl })
    // What stands behind the # never reaches a server: neither this one nor a log on the way.
    const fragment = isShown ? `#changes=${packed}` : ''
    const approve_url = approveUrl(site, ticket, { redirect_uri, state }) + fragment
    return { tap: true, ticket, approve_url, changes }
  })
}

/** Only the newest preference says that a tap is not needed. One too many does no harm. */
async function wantsTap({ preferences }: Pick<Ports, 'preferences'>, action: ActionName): Promise<boolean> {
  if (operations[action].needs.presence === 'tap') return true
  return (await preferences.current()).adminActionMfa || (await preferences.newest()).adminActionMfa
}

/** Which of the user's passkeys may tap it. @throws Refusal passkey_missing, passkeys_lesser */
export async function requireAble(
  { credentials }: Pick<Ports, 'credentials'>,
  subject: AdminSubject,
  { id }: User,
): Promise<readonly Credential[]> {
  const all = await credentials.of(id)
  if (all.length === 0) throw new Refusal('passkey_missing', { user: id })
  const able = mayTap(subject, all)
  if (able.length === 0) throw new Refusal('passkeys_lesser', { user: id })
  return able
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
  return approvedInWords((intent as Intent<'session'>).subject)
}

type PageNeeds = Pick<Ports, 'keys' | 'now' | 'preferences' | 'sessions' | 'audit'>

/** @throws Refusal session_missing, wrong_user, passkey_missing, passkeys_lesser, passkeys_elsewhere */
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
    if (able.length === 0) throw new Refusal('passkeys_lesser', { user: account.user.id })
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

/**
 * Its user did not ask for it: whoever holds the program's key did. The login that asked ends at once, so what waits for this tap can do
 * nothing any more.
 * @throws Refusal session_missing, wrong_user
 */
export function disownWaiting(
  ports: Pick<Ports, 'keys' | 'now' | 'sessions' | 'clientSessions' | 'audit'>,
  { asking, claim }: Caller,
  ticket: string,
): Promise<{ location: string }> {
  return recordingRefusals(ports, asking, 'tap.disown', async () => {
    const { intent } = readWaiting(ports, ticket)
    const user = claim && (await ports.sessions.find(claim, ports.now()))
    if (!claim || !user) throw new Refusal('session_missing')
    requireSameUser(intent, user)
    const detail = { summary: summaryOf(intent), asked_from: intent.subject.address ?? '' }
    const who = { userId: user.id, intentId: intent.id, detail }
    const event = { at: ports.now(), kind: 'tap.disown', outcome: 'done', asking, ...who } as const
    await ports.clientSessions.disown(claim, intent.holder as Holder, event)
    return { location: '/account' }
  })
}

/** Somebody else at the same browser must not even be asked. */
function requireSameUser(intent: Intent, user: User): void {
  if (intent.user !== user.id) throw new Refusal('wrong_user', { user: user.id, intent: intent.id })
}
