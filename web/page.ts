/** What the scripts of all pages do with the document: find its parts, say how things stand, do one thing at a time. */
import { inWords } from './words.ts'

/** A part that the page's template promises. */
export function part<T extends HTMLElement>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof type)) throw new TypeError(`The page has no #${id}`)
  return found
}

/** A part that is there only where it is of use. */
export function mayBe<T extends HTMLElement>(id: string, type: abstract new () => T): T | undefined {
  return document.getElementById(id) === null ? undefined : part(id, type)
}

/** Enter in a text box, or its button. */
export function onSubmit(id: string, work: () => void): void {
  part(id, HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    work()
  })
}

export class Status {
  readonly #progress: Element | null
  readonly #problem: Element | null

  constructor(id: string) {
    const region = part(id, HTMLElement)
    this.#progress = region.querySelector('.progress')
    this.#problem = region.querySelector('.problem')
  }

  say(text: string): void {
    this.#problem?.replaceChildren()
    this.#progress?.replaceChildren(text)
  }

  /** An error is spoken at once, and stays until the next attempt. */
  fail(error: unknown): void {
    const { message, requestId, wantsSignIn } = inWords(error)
    this.#progress?.replaceChildren()
    this.#problem?.replaceChildren(message)
    if (wantsSignIn) this.#problem?.append(' ', signInLink())
    if (requestId) this.#problem?.append(' ', small(`Request ${requestId}`))
    this.#problem?.scrollIntoView({ block: 'nearest' })
  }

  warn(message: string): void {
    this.#progress?.replaceChildren()
    this.#problem?.replaceChildren(message)
  }
}

function signInLink(): HTMLElement {
  const link = document.createElement('a')
  link.href = `/?next=${encodeURIComponent(location.pathname + location.search)}${location.hash}`
  link.textContent = 'Sign in'
  return link
}

function small(text: string): HTMLElement {
  const element = document.createElement('small')
  element.textContent = text
  return element
}

/**
 * Runs `work` with the button busy. It is not `disabled`: that would take the focus away from whoever uses a keyboard.
 * One thing at a time on the whole page, because a browser has only one passkey dialog.
 */
export async function busily(button: HTMLElement, status: Status, work: () => Promise<void>): Promise<void> {
  if (isBusy()) return
  setBusy(button, true)
  try {
    await work()
  } catch (error) {
    setBusy(button, false)
    status.fail(error)
  }
}

export const isBusy = (): boolean => document.documentElement.hasAttribute('data-busy')

const doneKey = 'sallyport-done'

/** Leaves the page, with the button busy until the next one is there. `done` is told there: see `tellWhatWasDone`. */
export function leaveFor({ location: next }: { readonly location: string }, done?: string): void {
  if (done !== undefined) sessionStorage.setItem(doneKey, done)
  location.assign(next)
}

/** After signing in, with the place in the page that was asked for: it came along the redirect to here. */
export const leaveForAsked = ({ location: next }: { readonly location: string }): void =>
  leaveFor({ location: next + location.hash })

export function tellWhatWasDone(status: Status): void {
  const done = sessionStorage.getItem(doneKey)
  sessionStorage.removeItem(doneKey)
  if (done) status.say(done)
}

export function setBusy(button: HTMLElement, isBusy: boolean): void {
  document.documentElement.toggleAttribute('data-busy', isBusy)
  for (const [name, value] of [
    ['aria-busy', 'true'],
    ['aria-disabled', 'true'],
  ] as const) {
    if (isBusy) button.setAttribute(name, value)
    else button.removeAttribute(name)
  }
}

/** A page out of the back-forward cache shows what was true when it was left: a used link, an ended session. */
export function reloadWhenStale(): void {
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload()
  })
}
