import { busily, part, type Status } from './page.ts'
import { showTime } from './times.ts'
import { whyNoPasskeys } from './words.ts'

/**
 * What stands in the fragment of a one-time link. It leaves the address bar at once: it would stand in the history, in what is
 * copied, and on screenshots. It is kept in this history entry, so that a reload still has it; closing the tab forgets it.
 */
export function takeSecret(): string {
  const kept = (history.state as { secret?: string } | null)?.secret
  const taken = location.hash.slice(1) || kept || ''
  history.replaceState({ secret: taken }, '', location.pathname)
  // The address has no fragment any more, so another link in the same tab is no new page for the browser.
  addEventListener('hashchange', () => location.reload())
  return taken
}

export const forgetSecret = (): void => history.replaceState(null, '', location.pathname)

/** Puts the template's content in its place; of the other templates nothing stays. */
export function showTemplate(id: string, place: HTMLElement): void {
  const template = document.getElementById(id)
  if (!(template instanceof HTMLTemplateElement)) throw new TypeError(`The page has no template #${id}`)
  place.replaceChildren(template.content.cloneNode(true))
}

/** The link is dead: the page says so, and nothing of its form stays, not even as a template. */
export function showDead(asked: HTMLElement): void {
  forgetSecret()
  showTemplate('dead', asked)
  for (const template of document.querySelectorAll('template')) template.remove()
  document.getElementById('heading')?.focus()
}

/** The form of a link that still works, once it stands on the page. `register` says what its button does. */
export function startForm(status: Status, expiresAt: number, register: () => Promise<void>): void {
  showTime(part('expires', HTMLTimeElement), new Date(expiresAt * 1000))
  const form = part('register', HTMLFormElement)
  const button = form.querySelector('button')
  if (!button) throw new TypeError('The form has no button')
  status.say('')
  const hindrance = whyNoPasskeys()
  if (hindrance !== undefined) status.warn(hindrance)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void busily(button, status, register)
  })
}
