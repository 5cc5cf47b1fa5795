import { base64url, fromBase64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { type CreationOptions, intentOf, make } from './ceremony.ts'
import { EdgeProblem, type Finished, post } from './edge.ts'
import { busily, leaveFor, part, reloadWhenStale, Status } from './page.ts'
import { showTime } from './times.ts'
import { whyNoPasskeys } from './words.ts'

const status = new Status('link-status')
const secret = takeSecret()

reloadWhenStale()
// The address had no fragment any more, so another link in the same tab is no new page for the browser.
addEventListener('hashchange', () => location.reload())
void checkLink()

/**
 * Out of the fragment, which then leaves the address bar: it would stand in the history, in what is copied, and on
 * screenshots. It is kept in this history entry, so that a reload still has it; closing the tab forgets it.
 */
function takeSecret(): string {
  const kept = (history.state as { secret?: string } | null)?.secret
  const taken = location.hash.slice(1) || kept || ''
  history.replaceState({ secret: taken }, '', location.pathname)
  return taken
}

async function checkLink(): Promise<void> {
  status.say('Checking the link…')
  try {
    const { expires_at } = await post<{ expires_at: number }>('/v1/first-administrator/check', { secret })
    showForm(expires_at * 1000)
  } catch (error) {
    // A fragment that is no secret at all.
    const isNoSecret = error instanceof EdgeProblem && error.word === 'bad_request'
    if (isDead(error) || isNoSecret) showDead()
    else status.fail(error)
  }
}

const isDead = (error: unknown) =>
  error instanceof EdgeProblem && ['link_invalid', 'administrator_exists'].includes(error.word)

function showForm(expiresAt: number): void {
  part('place', HTMLElement).replaceChildren(part('form', HTMLTemplateElement).content.cloneNode(true))
  showTime(part('expires', HTMLTimeElement), new Date(expiresAt))
  const form = part('register', HTMLFormElement)
  const button = form.querySelector('button')
  if (!button) throw new TypeError('The form has no button')
  status.say('')
  const hindrance = whyNoPasskeys()
  if (hindrance !== undefined) status.warn(hindrance)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void busily(button, status, () => register(part('name', HTMLInputElement)))
  })
}

/** Nothing of the form stays, not even as a template. */
function showDead(): void {
  history.replaceState(null, '', location.pathname)
  const dead = part('dead', HTMLTemplateElement).content.cloneNode(true)
  part('form', HTMLTemplateElement).remove()
  part('dead', HTMLTemplateElement).remove()
  part('asked', HTMLElement).replaceChildren(dead)
  part('heading', HTMLElement).focus()
}

async function register(input: HTMLInputElement): Promise<void> {
  input.removeAttribute('aria-invalid')
  status.say('Waiting for your passkey…')
  try {
    const finished = await ceremony(input.value)
    history.replaceState(null, '', location.pathname)
    leaveFor(finished)
  } catch (error) {
    if (isDead(error)) return showDead()
    if (error instanceof EdgeProblem && error.word.startsWith('name_')) {
      input.setAttribute('aria-invalid', 'true')
      input.focus()
    }
    throw error
  }
}

async function ceremony(typed: string): Promise<Finished> {
  const begun = await post<{ ticket: string; options: CreationOptions }>('/v1/first-administrator/begin', {
    secret,
    name: typed,
  })
  const link = base64url(sha256(fromBase64url(secret) ?? new Uint8Array()))
  const name = typed.normalize('NFC').trim()
  const subject = { kind: 'first-administrator', name, link } as const
  await intentOf(begun.ticket, { purpose: 'register', subject }, begun.options.challenge)
  const registration = await make(begun.options)
  status.say('Registering…')
  return post<Finished>('/v1/first-administrator/finish', { secret, ticket: begun.ticket, registration })
}
