/** A new root passkey for an administrator who lost all, by the operator's one-time link. */
import { base64url, fromBase64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { type CreationOptions, intentOf, make } from './ceremony.ts'
import { EdgeProblem, type Finished, post } from './edge.ts'
import { forgetSecret, showDead, showTemplate, startForm, takeSecret } from './link-secret.ts'
import { leaveFor, part, reloadWhenStale, Status } from './page.ts'

const status = new Status('link-status')
const secret = takeSecret()

interface Recovery {
  readonly name: string
  readonly is_new: boolean
  readonly expires_at: number
}

reloadWhenStale()
void checkLink()

async function checkLink(): Promise<void> {
  status.say('Checking the link…')
  try {
    showForm(await post<Recovery>('/v1/recovery/check', { secret }))
  } catch (error) {
    // A fragment that is no secret at all.
    const isNoSecret = error instanceof EdgeProblem && error.word === 'bad_request'
    if (isDead(error) || isNoSecret) showDead(part('asked', HTMLElement))
    else status.fail(error)
  }
}

const isDead = (error: unknown) => error instanceof EdgeProblem && error.word === 'link_invalid'

function showForm(recovery: Recovery): void {
  showTemplate('form', part('place', HTMLElement))
  part(recovery.is_new ? 'there' : 'new', HTMLElement).remove()
  for (const place of document.querySelectorAll('[data-name]')) place.textContent = recovery.name
  startForm(status, recovery.expires_at, () => register(recovery))
}

async function register(recovery: Recovery): Promise<void> {
  status.say('Waiting for your passkey…')
  try {
    const finished = await ceremony(recovery)
    forgetSecret()
    leaveFor(finished)
  } catch (error) {
    if (isDead(error)) return showDead(part('asked', HTMLElement))
    throw error
  }
}

async function ceremony({ name, is_new }: Recovery): Promise<Finished> {
  const begun = await post<{ ticket: string; options: CreationOptions }>('/v1/recovery/begin', { secret })
  const link = base64url(sha256(fromBase64url(secret) ?? new Uint8Array()))
  const subject = { name, link, is_new }
  await intentOf(begun.ticket, { purpose: 'recovery', subject }, begun.options.challenge)
  const registration = await make(begun.options)
  status.say('Registering…')
  return post<Finished>('/v1/recovery/finish', { secret, ticket: begun.ticket, registration })
}
