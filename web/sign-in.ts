import { offerAutofill } from './autofill.ts'
import { type Assertion, intentOf, type RequestOptions, tap } from './ceremony.ts'
import { type Finished, post } from './edge.ts'
import { busily, leaveForAsked, mayBe, part, reloadWhenStale, Status } from './page.ts'
import { startPasswords } from './password-sign-in.ts'
import { startShowing } from './show-password.ts'
import { whyNoPasskeys } from './words.ts'

interface Begun {
  readonly ticket: string
  readonly options: RequestOptions
}

const next = part('first', HTMLElement).dataset['next'] || undefined
const button = mayBe('sign-in', HTMLButtonElement)
const hasPasswords = mayBe('password-form', HTMLFormElement) !== undefined

reloadWhenStale()
if (button) startPasskeys(button, new Status('sign-in-status'))
if (hasPasswords) {
  startShowing()
  startPasswords(next)
}

function startPasskeys(main: HTMLButtonElement, status: Status): void {
  const hindrance = whyNoPasskeys()
  if (hindrance !== undefined) status.warn(hindrance)
  const signIn = async (asked: { rp_id?: string }) => {
    status.say('Waiting for your passkey…')
    const begun = await begin(asked)
    await finish(begun, await tap(begun.options), status)
  }
  main.addEventListener('click', () => void busily(main, status, () => signIn({})))
  for (const former of document.querySelectorAll<HTMLButtonElement>('button.former')) {
    const asked = { rp_id: former.dataset['rpId'] ?? '' }
    former.addEventListener('click', () => void busily(former, status, () => signIn(asked)))
  }
  if (!hasPasswords) return
  void offerAutofill({
    begin: () => begin({}),
    chosen: (begun, assertion) => busily(main, status, () => finish(begun, assertion, status)),
  })
}

/** `rp_id`: for a passkey that was made for a name of before. */
async function begin(asked: { rp_id?: string }): Promise<Begun> {
  const begun = await post<Begun>('/v1/login/begin', asked)
  await intentOf(begun.ticket, { purpose: 'login', subject: {} }, begun.options.challenge)
  return begun
}

async function finish({ ticket }: Begun, assertion: Assertion, status: Status): Promise<void> {
  status.say('Signing in…')
  leaveForAsked(await post<Finished>('/v1/login/finish', { ticket, assertion, next }))
}
