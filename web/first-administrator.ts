import { base64url, fromBase64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { type CreationOptions, intentOf, make } from './ceremony.ts'
import { EdgeProblem, type Finished, post } from './edge.ts'
import { forgetSecret, showDead, showTemplate, startForm, takeSecret } from './link-secret.ts'
import { leaveFor, part, reloadWhenStale, Status } from './page.ts'

const status = new Status('link-status')
const secret = takeSecret()

reloadWhenStale()
void checkLink()

async function checkLink(): Promise<void> {
  status.say('Checking the link…')
  try {
    const { expires_at } = await post<{ expires_at: number }>('/v1/first-administrator/check', { secret })
    showForm(expires_at)
  } catch (error) {
    // A fragment that is no secret at all.
    const isNoSecret = error instanceof EdgeProblem && error.word === 'bad_request'
    if (isDead(error) || isNoSecret) showDead(part('asked', HTMLElement))
    else status.fail(error)
  }
}

const isDead = (error: unknown) =>
  error instanceof EdgeProblem && ['link_invalid', 'administrator_exists'].includes(error.word)

function showForm(expiresAt: number): void {
  showTemplate('form', part('place', HTMLElement))
  startForm(status, expiresAt, () => register(part('name', HTMLInputElement)))
}

async function register(input: HTMLInputElement): Promise<void> {
  input.removeAttribute('aria-invalid')
  status.say('Waiting for your passkey…')
  try {
    const finished = await ceremony(input.value)
    forgetSecret()
    leaveFor(finished)
  } catch (error) {
    if (isDead(error)) return showDead(part('asked', HTMLElement))
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
