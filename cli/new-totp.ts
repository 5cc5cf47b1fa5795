/** Adding an authenticator app: approved in the browser, then its key is shown here and a code of it asked for. */
import { operations } from '../core/api/operations.ts'
import { call, EdgeProblem, type Session } from './api.ts'
import { Problem } from './problem.ts'
import { qrLines } from './qr-code.ts'
import { waitForTap } from './tap.ts'
import { type Ask, asking, say, sayPicture } from './term.ts'

export interface NewTotp {
  readonly name: string
  readonly opensBrowser: boolean
}

interface Begun {
  readonly uri: string
  readonly secret: string
  readonly sealed: string
}

/** How often a code may be mistyped. The tap counts for five minutes, and for all of them. */
const tries = 3

/** @throws Problem, Interrupted */
export async function addTotp(session: Session, { name, opensBrowser }: NewTotp): Promise<{ name: string }> {
  let begun: Begun | undefined
  const toDo = `approve that the authenticator app "${name}" is added`
  const tap = await waitForTap(session, { toDo, opensBrowser }, async (where) => {
    const answer = await call(session, operations.ownTotpBegin, { body: { name, ...where } })
    begun = answer
    return answer.approve_url
  })
  if (!begun || tap === undefined) throw new TypeError('A tap came before it was asked for')
  const { sealed } = showKey(begun)
  return asking((ask) => finish(session, tap, sealed, ask))
}

function showKey(begun: Begun): Begun {
  const { uri, secret } = begun
  say('')
  if (sayPicture((inkIsDark) => qrLines(uri, inkIsDark)))
    say('Scan this with the app. Or type the key, or open the address, in it:')
  else say('Type this key into the app, or open the address in it:')
  say('')
  say(`  ${secret.replaceAll(/.{4}(?=.)/g, '$& ')}`)
  say(`  ${uri}`)
  say('')
  say('Whoever sees one of them can make your codes: show and keep them nowhere else.')
  return begun
}

async function finish(session: Session, tap: string, sealed: string, ask: Ask): Promise<{ name: string }> {
  for (let left = tries - 1; ; left--) {
    const new_code = await ask('Code that the app shows now:')
    if (new_code === undefined) {
      throw new Problem('failed', 'no code came, nothing was added', 'remove what the app has, and start again')
    }
    try {
      return await call(session, operations.ownTotpAdd, { body: { sealed, new_code }, tap })
    } catch (error) {
      if (!(error instanceof EdgeProblem) || error.word !== 'new_code_wrong') throw error
      if (left === 0) {
        const hint = 'remove what the app has, let its device set the clock by itself, and start again'
        throw new Problem('failed', `${tries} codes did not fit, nothing was added`, hint, { cause: error })
      }
      say('That code does not fit. Wait for the next one, and type it.')
    }
  }
}
