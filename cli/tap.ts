/** An administrative request that a person approves with a tap in the browser, and that is then sent exactly as approved. */
import { generateRandomState } from 'oauth4webapi'
import type { OperationName } from '../core/api/operations.ts'
import { operations } from '../core/api/operations.ts'
import type { Json } from '../core/intent.ts'
import { call, type Session } from './api.ts'
import { askInBrowser } from './browser.ts'
import { Problem } from './problem.ts'

export interface Approval {
  readonly operation: OperationName
  readonly parameters?: Readonly<Record<string, string>>
  readonly body: Json
  /** What the person approves there, such as "approve the invite". */
  readonly toDo: string
  readonly opensBrowser: boolean
}

/** What goes into the header Sallyport-Tap. @throws Problem refused */
export async function askForTap(session: Session, approval: Approval): Promise<string> {
  const { operation, parameters, body, toDo, opensBrowser } = approval
  const state = generateRandomState()
  const urlFor = async (redirect_uri: string) => {
    const asked = { operation, parameters, body, redirect_uri, state }
    return (await call(session, operations.tapBegin, { body: asked })).approve_url
  }
  const answer = await askInBrowser({ toDo, state, issuer: session.profile.issuer, opensBrowser, urlFor })
  const tap = answer.get('tap')
  if (tap !== null && /^[\w-]+$/.test(tap)) return tap
  throw new Problem('refused', 'the browser brought no approval', 'try again')
}
