/** One session on a resource, from a connection to the local proxy to an open tunnel: who the proxy is, the tap where a role wants one, the grant. */
import type { Duplex } from 'node:stream'
import { generateRandomState } from 'oauth4webapi'
import type { SessionAsk } from '../core/access/request-session.ts'
import type { ResourcePrincipal } from '../core/access/resource.ts'
import { resourceUri, setUri } from '../core/access/resource-uri.ts'
import { sessionInWords, setInWords, timesInWords } from '../core/access/session-words.ts'
import { operations } from '../core/api/operations.ts'
import type { SessionInSet } from '../core/intent.ts'
import type { Opened } from '../proxy/local.ts'
import { accessToken, call, openSession, type Session } from './api.ts'
import { askInBrowser } from './browser.ts'
import { exchangeForGrant } from './oauth.ts'
import { Interrupted, Problem } from './problem.ts'
import { SharedTap } from './shared-tap.ts'
import { debug } from './term.ts'
import { holdConnection } from './tunnel.ts'

export interface SessionWanted {
  readonly resource: SessionAsk['resource']
  /** A user with whose rights it is opened. */
  readonly impersonate: string | undefined
  /** Of the profile. */
  readonly profile: string
  readonly opensBrowser: boolean
  /** Hears of what did not open. */
  readonly failed: (problem: Problem) => void
  /** With what it is asked for together. */
  readonly shared: SharedTap
}

/** Who waits for the session. */
interface Client {
  readonly gone: AbortSignal
  /** It says no more: with a tap to give, that is taken for having gone away. */
  readonly ended: AbortSignal
}

export type SessionOpener = (principal: ResourcePrincipal, gone: AbortSignal, ended?: AbortSignal) => Promise<Opened>

export function sessionOpener(wanted: SessionWanted): SessionOpener {
  return (principal, gone, ended = gone) => wanted.shared.inTurn(() => openOrRefuse(wanted, principal, { gone, ended }))
}

async function openOrRefuse(wanted: SessionWanted, principal: ResourcePrincipal, client: Client): Promise<Opened> {
  const { gone, ended } = client
  try {
    gone.throwIfAborted()
    const stream = await openTunnel(wanted, principal, client)
    debug(`open: ${sessionInWords({ ...wanted, principal })}`)
    return { kind: 'tunnel', stream }
  } catch (error) {
    if (gone.aborted || (ended.aborted && error === ended.reason)) {
      debug('a client went away before its session was open')
      return { kind: 'refused', state: 'connectionFailure', message: 'Nobody waits for it any more.' }
    }
    return refusalFor(wanted, error)
  }
}

export function refusalFor(
  { resource: { name }, failed }: Pick<SessionWanted, 'resource' | 'failed'>,
  error: unknown,
): Opened {
  if (error instanceof Interrupted)
    return { kind: 'refused', state: 'adminShutdown', message: 'sallyport was stopped.' }
  const problem = error instanceof Problem ? error : mistake(error)
  failed(problem)
  const isAboutWho = problem.exit === 'refused' || problem.exit === 'signIn' || problem.exit === 'usage'
  const message = `sallyport cannot open ${name}: ${problem.message}. ${problem.hint}`
  return { kind: 'refused', state: isAboutWho ? 'invalidAuthorization' : 'connectionFailure', message }
}

function mistake(error: unknown): Problem {
  const { message, stack = '' } = error as Error
  for (const line of stack.split('\n')) debug(line)
  return new Problem('failed', `of a mistake in sallyport itself (${message})`, 'Please report it.', { cause: error })
}

/** The profile is read anew each time: other commands renew its tokens, or sign in again. */
async function openTunnel(wanted: SessionWanted, principal: ResourcePrincipal, client: Client): Promise<Duplex> {
  const { resource, impersonate, profile, shared } = wanted
  const session = await openSession(profile)
  const held = await holdConnection(session.profile, await accessToken(session))
  try {
    const ask: SessionAsk = { resource, principal, proxy: held.proxy, impersonate }
    const { gone, ended } = client
    const waiting = { gone: AbortSignal.any([gone, held.lost]), ended }
    const grant = shared.take(ask) ?? (await askForGrant(session, wanted, ask, waiting)).grant
    gone.throwIfAborted()
    return await held.open(resource.name, grant)
  } catch (error) {
    held.close()
    throw error
  }
}

/** A grant that is kept: `lifeMs` from now on, for a tap where one was wanted. */
export interface KeptGrant {
  readonly grant: string
  readonly lifeMs: number
  readonly tapped: boolean
}

type KeptAsk = Pick<SessionAsk, 'resource' | 'principal' | 'impersonate' | 'certificate'>

/** With the proxy that it is for, which is asked first which process it is. @throws Problem */
export async function grantToKeep(session: Session, asked: KeptAsk, opensBrowser: boolean): Promise<KeptGrant> {
  const held = await holdConnection(session.profile, await accessToken(session))
  try {
    const waiting = { gone: held.lost, ended: held.lost }
    const wanted = { opensBrowser, shared: new SharedTap() }
    return await askForGrant(session, wanted, { ...asked, proxy: held.proxy }, waiting)
  } finally {
    held.close()
  }
}

/** A word for a password's place: the grant is spent for it. @throws Problem */
export async function bearerToKeep(session: Session, asked: KeptAsk, opensBrowser: boolean) {
  const held = await holdConnection(session.profile, await accessToken(session))
  try {
    const waiting = { gone: held.lost, ended: held.lost }
    const wanted = { opensBrowser, shared: new SharedTap() }
    const { grant } = await askForGrant(session, wanted, { ...asked, proxy: held.proxy }, waiting)
    return await held.bearer(grant)
  } finally {
    held.close()
  }
}

const rightsInWords = ({ impersonate }: SessionAsk): string =>
  impersonate === undefined ? '' : ` with the rights of ${impersonate}`

async function askForGrant(
  session: Session,
  wanted: Pick<SessionWanted, 'opensBrowser' | 'shared'>,
  ask: SessionAsk,
  client: Client,
): Promise<KeptGrant> {
  const { shared, opensBrowser } = wanted
  const tap = await askForTap(session, ask, shared, opensBrowser, client)
  const isOfSet = tap !== undefined && shared.sessions.length > 0
  const { grant, lifeMs } = await exchangeForGrant(session.fetch, session.profile, {
    accessToken: await accessToken(session),
    resource: isOfSet ? setUri(ask.proxy) : resourceUri(ask),
    tap,
  })
  const tapped = tap !== undefined
  if (!isOfSet) return { grant, lifeMs, tapped }
  shared.keep(grant, lifeMs, ask.proxy)
  return { grant: shared.take(ask) ?? grant, lifeMs, tapped }
}

/** What the browser brought, or undefined where no role wants a tap for this session. @throws Problem refused */
async function askForTap(
  session: Session,
  ask: SessionAsk,
  { sessions }: SharedTap,
  opensBrowser: boolean,
  { gone, ended }: Client,
) {
  const state = generateRandomState()
  const left = new AbortController()
  const leave = () => left.abort(ended.reason)
  const urlFor = async (redirect_uri: string) => {
    const approve_url = await pageFor(session, ask, sessions, { redirect_uri, state })
    if (approve_url === undefined) return undefined
    ended.throwIfAborted()
    ended.addEventListener('abort', leave)
    return approve_url
  }
  const what = sessions.length > 0 ? setInWords({ sessions }) : onceOrMore(ask)
  const toDo = `open ${what}${rightsInWords(ask)}`
  const { issuer } = session.profile
  const signal = AbortSignal.any([gone, left.signal])
  try {
    const answer = await askInBrowser({ toDo, state, issuer, opensBrowser, signal, urlFor })
    const tap = answer?.get('tap') ?? undefined
    if (!answer || (tap !== undefined && /^[\w-]+$/.test(tap))) return tap
    throw new Problem('refused', 'the browser brought no approval', 'try again')
  } finally {
    ended.removeEventListener('abort', leave)
  }
}

const onceOrMore = ({ certificate, ...ask }: SessionAsk): string =>
  certificate && certificate.uses > 1 ? `${sessionInWords(ask)} ${timesInWords(certificate.uses)}` : sessionInWords(ask)

/** The page that approves it, with all that is asked for together. Asked for alone first: what wants no tap asks nobody. */
async function pageFor(
  session: Session,
  { resource, principal, proxy, impersonate, certificate }: SessionAsk,
  sessions: readonly SessionInSet[],
  waiting: { readonly redirect_uri: string; readonly state: string },
): Promise<string | undefined> {
  const more = { proxy, impersonate, ...waiting }
  const body = { resource, principal: { ...principal }, certificate, ...more }
  const { approve_url } = await call(session, operations.sessionBegin, { body })
  if (approve_url === undefined || sessions.length === 0) return approve_url
  const all = sessions.map(({ principal: as, ...one }) => ({ ...one, principal: { ...as } }))
  return (await call(session, operations.sessionSetBegin, { body: { sessions: all, ...more } })).approve_url
}
