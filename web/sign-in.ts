import { intentOf, type RequestOptions, tap } from './ceremony.ts'
import { type Finished, post } from './edge.ts'
import { busily, leaveFor, part, reloadWhenStale, Status } from './page.ts'
import { whyNoPasskeys } from './words.ts'

const button = part('sign-in', HTMLButtonElement)
const status = new Status('sign-in-status')

reloadWhenStale()
const hindrance = whyNoPasskeys()
if (hindrance !== undefined) status.warn(hindrance)
button.addEventListener('click', () => void busily(button, status, () => signIn({})))
for (const former of document.querySelectorAll<HTMLButtonElement>('button.former')) {
  const asked = { rp_id: former.dataset['rpId'] ?? '' }
  former.addEventListener('click', () => void busily(former, status, () => signIn(asked)))
}

/** `rp_id`: for a passkey that was made for a name of before. */
async function signIn(asked: { rp_id?: string }): Promise<void> {
  status.say('Waiting for your passkey…')
  const { ticket, options } = await post<{ ticket: string; options: RequestOptions }>('/v1/login/begin', asked)
  await intentOf(ticket, { purpose: 'login', subject: {} }, options.challenge)
  const assertion = await tap(options)
  status.say('Signing in…')
  const next = button.dataset['next'] || undefined
  const finished = await post<Finished>('/v1/login/finish', { ticket, assertion, next })
  // The place in a page that was asked for: it came along the redirect to here.
  leaveFor({ location: finished.location + location.hash })
}
