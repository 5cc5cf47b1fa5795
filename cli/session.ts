/** One session on a resource, from a connection to the local proxy to an open tunnel: who the proxy is, the tap where a role wants one, the grant. */
import type { Duplex } from 'node:stream'
import { generateRandomState } from 'oauth4webapi'
import type { SessionAsk } from '../core/access/request-session.ts'
import type { ResourcePrincipal } from '../core/access/resource.ts'
import { resourceUri } from '../core/access/resource-uri.ts'
import { sessionInWords } from '../core/access/session-words.ts'
import { operations } from '../core/api/operations.ts'
import type { Opened } from '../proxy/local.ts'
import { accessToken, call, openSession, type Session } from './api.ts'
import { askInBrowser } from './browser.ts'
import { exchangeForGrant } from './oauth.ts'
import { Interrupted, Problem } from './problem.ts'
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
}

/** Who waits for the session. */
interface Client {
  readonly gone: AbortSignal
  /** It says no more: with a tap to give, that is taken for having gone away. */
  readonly ended: AbortSignal
}

export type SessionOpener = (principal: ResourcePrincipal, gone: AbortSignal, ended?: AbortSignal) => Promise<Opened>

/** One after the other: two pages at once are two taps that nobody can tell apart. */
export function sessionOpener(wanted: SessionWanted): SessionOpener {
  let turn: Promise<unknown> = Promise.resolve()
  return (principal, gone, ended = gone) => {
    const mine = turn.then(() => openOrRefuse(wanted, principal, { gone, ended }))
    turn = mine
    return mine
  }
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
  const { resource, impersonate, profile, opensBrowser } = wanted
  const session = await openSession(profile)
  const held = await holdConnection(session.profile, await accessToken(session))
  try {
    const ask: SessionAsk = { resource, principal, proxy: held.proxy, impersonate }
    const { gone, ended } = client
    const tap = await askForTap(session, ask, opensBrowser, { gone: AbortSignal.any([gone, held.lost]), ended })
    const token = await accessToken(session)
    const grant = await exchangeForGrant(session.fetch, session.profile, {
      accessToken: token,
      resource: resourceUri(ask),
      tap,
    })
    gone.throwIfAborted()
    return await held.open(resource.name, grant)
  } catch (error) {
    held.close()
    throw error
  }
}

const rightsInWords = (impersonate: string | undefined): string =>
  impersonate === undefined ? '' : ` with the rights of ${impersonate}`

/** What the browser brought, or undefined where no role wants a tap. @throws Problem refused */
async function askForTap(session: Session, ask: SessionAsk, opensBrowser: boolean, { gone, ended }: Client) {
  const state = generateRandomState()
  const { resource, principal, impersonate } = ask
  const left = new AbortController()
  const leave = () => left.abort(ended.reason)
  const urlFor = async (redirect_uri: string) => {
    const body = { resource, principal: { ...principal }, proxy: ask.proxy, impersonate, redirect_uri, state }
    const { approve_url } = await call(session, operations.sessionBegin, { body })
    if (approve_url === undefined) return undefined
    ended.throwIfAborted()
    ended.addEventListener('abort', leave)
    return approve_url
  }
  const toDo = `open ${sessionInWords({ resource, principal })}${rightsInWords(impersonate)}`
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
