/**
 * Passkeys among what the browser offers in the name's box (WebAuthn Level 3 section 5.1.4, mediation `conditional`). Such a request
 * waits until somebody picks one, but a ticket lives a minute: it is made anew before that, while the page is looked at.
 */
import { browserSupportsWebAuthnAutofill, WebAuthnAbortService } from '@simplewebauthn/browser'
import { type Assertion, type RequestOptions, tapFromAutofill } from './ceremony.ts'
import { isBusy, part } from './page.ts'

interface Autofill<Begun extends { readonly options: RequestOptions }> {
  begin(): Promise<Begun>
  chosen(begun: Begun, assertion: Assertion): Promise<void>
}

const life = 45_000
/** A page that was forgotten open asks no more: its button still works. */
const most = 20

export async function offerAutofill<Begun extends { readonly options: RequestOptions }>({
  begin,
  chosen,
}: Autofill<Begun>): Promise<void> {
  if (!(await browserSupportsWebAuthnAutofill())) return
  for (let i = 0; i < most; i++) {
    await untilIdle()
    // No word about it: whoever fills in the form or clicks the button is told.
    const begun = await begin().catch(() => undefined)
    if (!begun) return
    if (isBusy() || part('first', HTMLElement).hidden) continue
    const assertion = await waitFor(begun.options).catch(() => undefined)
    if (assertion) await chosen(begun, assertion)
  }
}

/** While the browser's own dialog is open, the page has no focus: nobody is interrupted. */
async function waitFor(options: RequestOptions): Promise<Assertion> {
  const since = Date.now()
  const timer = setInterval(() => {
    if (Date.now() - since > life && document.hasFocus()) WebAuthnAbortService.cancelCeremony()
  }, 1000)
  try {
    return await tapFromAutofill(options)
  } finally {
    clearInterval(timer)
  }
}

/** A request of ours would end another that waits for a tap, and one that failed a moment ago should not follow itself at once. */
async function untilIdle(): Promise<void> {
  do await new Promise((done) => setTimeout(done, 250))
  while (isBusy() || !document.hasFocus() || part('first', HTMLElement).hidden)
}
