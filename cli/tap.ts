/** A request that a person approves with a tap in the browser, and that is then sent exactly as approved. */
import { generateRandomState } from 'oauth4webapi'
import type { OperationName } from '../core/api/operations.ts'
import { operations } from '../core/api/operations.ts'
import type { Json } from '../core/intent.ts'
import { call, type Session } from './api.ts'
import { askInBrowser } from './browser.ts'
import { Problem } from './problem.ts'

interface Asked {
  /** What the person approves there, such as "approve the invite". */
  readonly toDo: string
  readonly opensBrowser: boolean
}

export interface Approval extends Asked {
  readonly operation: OperationName
  readonly parameters?: Readonly<Record<string, string>>
  readonly body: Json
}

/** Of an administrative request: what goes into the header Sallyport-Tap. @throws Problem refused */
export function askForTap(session: Session, { operation, parameters, body, ...asked }: Approval): Promise<string> {
  return waitForTap(session, asked, async (where) => {
    const request = { operation, parameters, body, ...where }
    return (await call(session, operations.tapBegin, { body: request })).approve_url
  })
}

type Where = { readonly redirect_uri: string; readonly state: string }

/** The same of what `urlFor` begins and names the page of. @throws Problem refused */
export async function waitForTap(
  { profile: { issuer } }: Session,
  asked: Asked,
  urlFor: (where: Where) => Promise<string>,
): Promise<string> {
  const state = generateRandomState()
  const answer = await askInBrowser({
    ...{ ...asked, state, issuer },
    urlFor: (redirect_uri) => urlFor({ redirect_uri, state }),
  })
  const tap = answer.get('tap')
  if (tap !== null && /^[\w-]+$/.test(tap)) return tap
  throw new Problem('refused', 'the browser brought no approval', 'try again')
}
