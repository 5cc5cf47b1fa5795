/** One session on a database, from a connection to the local proxy to an open tunnel: who the proxy is, the tap where a role wants one, the grant. */
import type { Duplex } from 'node:stream'
import { generateRandomState } from 'oauth4webapi'
import { printable } from '../core/access/place.ts'
import type { SessionAsk } from '../core/access/request-session.ts'
import type { DbPrincipal } from '../core/access/resource.ts'
import { resourceUri } from '../core/access/resource-uri.ts'
import { sessionInWords } from '../core/access/session-words.ts'
import { operations } from '../core/api/operations.ts'
import type { LocalNeeds, Opened } from '../proxy/local.ts'
import { accessToken, call, openSession, type Session } from './api.ts'
import { askInBrowser } from './browser.ts'
import { exchangeForGrant } from './oauth.ts'
import { Interrupted, Problem } from './problem.ts'
import { debug } from './term.ts'
import { holdConnection } from './tunnel.ts'

export interface SessionWanted {
  /** Of the database. */
  readonly name: string
  /** Of the profile. */
  readonly profile: string
  /** As whom and where, if that is settled: clients may then ask for nothing else. */
  readonly principal: Partial<DbPrincipal>
  readonly opensBrowser: boolean
  /** Hears of what did not open. */
  readonly failed: (problem: Problem) => void
}

/** One after the other: two pages at once are two taps that nobody can tell apart. */
export function sessionOpener(wanted: SessionWanted): LocalNeeds['open'] {
  let turn: Promise<unknown> = Promise.resolve()
  return (principal, gone) => {
    const mine = turn.then(() => openOrRefuse(wanted, principal, gone))
    turn = mine
    return mine
  }
}

async function openOrRefuse(wanted: SessionWanted, principal: DbPrincipal, gone: AbortSignal): Promise<Opened> {
  try {
    gone.throwIfAborted()
    requireSettled(wanted.principal, principal)
    const stream = await openTunnel(wanted, principal, gone)
    debug(`${wanted.name}: open as ${principal.db_user} in ${principal.db_name}`)
    return { kind: 'tunnel', stream }
  } catch (error) {
    if (gone.aborted) return { kind: 'refused', state: 'connectionFailure', message: 'Nobody waits for it any more.' }
    return refusalFor(wanted, error)
  }
}

/** The tap would be for one principal, and the proxy would refuse the other: told before anybody taps. */
function requireSettled(settled: Partial<DbPrincipal>, { db_user, db_name }: DbPrincipal): void {
  const pairs = [
    ['user', '--db-user', settled.db_user, db_user],
    ['database', '--db-name', settled.db_name, db_name],
  ] as const
  for (const [what, flag, wanted, asked] of pairs) {
    if (wanted === undefined || wanted === asked) continue
    const shown = printable(asked)
    throw new Problem(
      'usage',
      `this local proxy is for the ${what} ${wanted}, not ${shown}`,
      `Connect to ${wanted}, or start another one with ${flag}=${shown}.`,
    )
  }
}

function refusalFor({ name, failed }: SessionWanted, error: unknown): Opened {
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
async function openTunnel(wanted: SessionWanted, principal: DbPrincipal, gone: AbortSignal): Promise<Duplex> {
  const { name, profile, opensBrowser } = wanted
  const session = await openSession(profile)
  const held = await holdConnection(session.profile, await accessToken(session))
  try {
    const ask: SessionAsk = { resource: { kind: 'db', name }, principal, proxy: held.proxy }
    const tap = await askForTap(session, ask, opensBrowser, AbortSignal.any([gone, held.lost]))
    const token = await accessToken(session)
    const grant = await exchangeForGrant(session.fetch, session.profile, {
      accessToken: token,
      resource: resourceUri(ask),
      tap,
    })
    gone.throwIfAborted()
    return await held.open(name, grant)
  } catch (error) {
    held.close()
    throw error
  }
}

/** What the browser brought, or undefined where no role wants a tap. @throws Problem refused */
async function askForTap(session: Session, ask: SessionAsk, opensBrowser: boolean, signal: AbortSignal) {
  const state = generateRandomState()
  const { resource, principal } = ask
  const urlFor = async (redirect_uri: string) => {
    const body = { resource, principal: { ...principal }, proxy: ask.proxy, redirect_uri, state }
    return (await call(session, operations.sessionBegin, { body })).approve_url
  }
  const toDo = `open ${sessionInWords({ resource, principal })}`
  const { issuer } = session.profile
  const answer = await askInBrowser({ toDo, state, issuer, opensBrowser, signal, urlFor })
  const tap = answer?.get('tap') ?? undefined
  if (!answer || (tap !== undefined && /^[\w-]+$/.test(tap))) return tap
  throw new Problem('refused', 'the browser brought no approval', 'try again')
}
