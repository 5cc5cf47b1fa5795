/**
 * A request that a person approves with a tap in the browser where the edge wants one, and that is then sent exactly as approved. No verb
 * needs to know what the preference of the cluster says: it calls, and this asks.
 */
import { generateRandomState } from 'oauth4webapi'
import type { TappedOf } from '../core/access/action.ts'
import type { AnswerOf, AnyOperation } from '../core/api/operation.ts'
import { type Operations, operations } from '../core/api/operations.ts'
import type { Json } from '../core/intent.ts'
import { call, type Given, type Session } from './api.ts'
import { askInBrowser } from './browser.ts'
import { Problem } from './problem.ts'
import { say } from './term.ts'

export interface Approval {
  /** What the person approves there, such as "approve the invite". */
  readonly toDo: string
  readonly opensBrowser: boolean
}

/** An operation that may want a tap. */
export type Tapped = Operations[TappedOf<Operations>]

/** Asks for the tap, where one is wanted, and calls. @throws Problem */
export async function callApproved<O extends Tapped>(
  session: Session,
  operation: O,
  given: Omit<Given<O>, 'tap'>,
  approval: Approval,
): Promise<AnswerOf<O>> {
  const tap = await askForTap(session, operation, given, approval)
  return call(session, operation, { ...given, tap } as Given<O>)
}

/** What goes into the header Sallyport-Tap; undefined where none is wanted. @throws Problem refused */
async function askForTap(session: Session, operation: Tapped, given: object, { toDo, opensBrowser }: Approval) {
  const state = generateRandomState()
  const { parameters, query, body } = given as { readonly [part in 'parameters' | 'query' | 'body']?: Json }
  const urlFor = async (redirect_uri: string): Promise<string | undefined> => {
    const asked = { operation: nameOf(operation), parameters, query, body, redirect_uri, state }
    const { changes = '', approve_url } = await call(session, operations.tapBegin, { body: asked })
    if (approve_url !== undefined && changes !== '')
      for (const line of ['This changes:', ...changes.split('\n')]) say(line)
    return approve_url
  }
  const answer = await askInBrowser({
    toDo,
    state,
    issuer: session.profile.issuer,
    opensBrowser,
    urlFor,
  })
  const tap = answer?.get('tap') ?? undefined
  if (!answer || (tap !== undefined && /^[\w-]+$/.test(tap))) return tap
  throw new Problem('refused', 'the browser brought no approval', 'try again')
}

function nameOf(operation: AnyOperation): string {
  const found = Object.entries<AnyOperation>(operations).find(([, one]) => one === operation)
  if (!found) throw new TypeError('An operation that is in no table')
  return found[0]
}
