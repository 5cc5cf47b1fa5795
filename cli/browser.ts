/** A question that is answered in the browser: its URL is shown and opened, the answer comes over loopback. */
import { spawn } from 'node:child_process'
import process from 'node:process'
import { type Expected, listenOnLoopback } from './loopback.ts'
import { Problem } from './problem.ts'
import { environment } from './profile.ts'
import { say } from './term.ts'
import { endOfWaiting } from './waiting.ts'

export const browserOption = { 'no-browser': { type: 'boolean' } } as const

export interface Question<Page extends string | undefined = string> extends Expected {
  /** What the person does there, such as "sign in". */
  readonly toDo: string
  readonly opensBrowser: boolean
  /** Ends the wait, with its reason. */
  readonly signal?: AbortSignal
  /** The page, once it is known where the answer goes. */
  urlFor(redirectUri: string): Promise<Page>
}

const patience = { ms: 5 * 60_000, over: 'nobody answered in the browser for five minutes' }

/**
 * undefined where `urlFor` finds that there is nothing to ask.
 * @throws Interrupted on Ctrl-C; Problem refused where the person says no, failed after five minutes
 */
export async function askInBrowser(question: Question): Promise<URLSearchParams>
export async function askInBrowser(question: Question<string | undefined>): Promise<URLSearchParams | undefined>
export async function askInBrowser(question: Question<string | undefined>): Promise<URLSearchParams | undefined> {
  const loopback = await listenOnLoopback(question)
  const end = endOfWaiting(patience, question.signal)
  try {
    const asked = await Promise.race([question.urlFor(loopback.redirectUri), end.reached])
    if (asked === undefined) return undefined
    showPage({ ...question, page: pageOf(question.issuer, asked) })
    const answer = await Promise.race([loopback.answer, end.reached])
    if (answer.has('error')) throw refusalOf(answer)
    return answer
  } finally {
    loopback.close()
    end.forget()
  }
}

interface Shown {
  readonly toDo: string
  readonly page: string
  readonly opensBrowser: boolean
}

export function showPage({ toDo, page, opensBrowser }: Shown): void {
  say(`To ${toDo}, open this page in a browser on this machine:`)
  say(page)
  if (opensBrowser) openBrowser(page)
}

/** A browser opens files and programs too, so it gets pages of the issuer only. */
export function pageOf(issuer: string, text: string): string {
  const url = URL.parse(text)
  if (url?.origin === new URL(issuer).origin && /^https?:$/.test(url.protocol)) return url.href
  throw new Problem('failed', 'the edge names a page of somebody else', 'ask its administrator')
}

function refusalOf(answer: URLSearchParams): Problem {
  const error = answer.get('error') ?? ''
  if (error === 'access_denied')
    return new Problem('refused', 'it was refused in the browser', 'try again to approve it')
  const why = answer.get('error_description') ?? error
  return new Problem('refused', `the edge refused it (${why})`, 'try again; if it goes on, ask an administrator')
}

/** No shell: the URL is one argument, whatever it holds. */
function openBrowser(url: string): void {
  const program = environment().browser ?? (process.platform === 'darwin' ? 'open' : 'xdg-open')
  const child = spawn(program, [url], { stdio: 'ignore', detached: true })
  const failed = () => say(`${program} did not open it: open the page yourself.`)
  child.once('error', failed)
  child.once('exit', (code) => {
    if (code !== null && code !== 0) failed()
  })
  child.unref()
}
