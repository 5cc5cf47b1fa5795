/** What the pages that approve share: one button says yes with a passkey; the other says no, also while the browser waits for a tap. */
import { WebAuthnAbortService } from '@simplewebauthn/browser'
import { type Assertion, type RequestOptions, tap } from './ceremony.ts'
import type { Finished } from './edge.ts'
import { busily, isBusy, leaveFor, part, reloadWhenStale, Status } from './page.ts'
import { whyNoPasskeys } from './words.ts'

export interface Approval<Begun extends { readonly options: RequestOptions }> {
  /** Asks for the tap. @throws where it would be for something other than what the page shows */
  begin(): Promise<Begun>
  finish(begun: Begun, assertion: Assertion): Promise<Finished>
  refuse(): Promise<Finished>
}

/** Answers how another answer than a tap begins: by ending the wait for one. */
export function startApproval<Begun extends { readonly options: RequestOptions }>(
  approval: Approval<Begun>,
): () => Promise<void> {
  const status = new Status('approve-status')
  const [approve, refuse] = [part('approve', HTMLButtonElement), part('refuse', HTMLButtonElement)]
  let approving = Promise.resolve()

  async function approveIt(): Promise<void> {
    status.say('Waiting for your passkey…')
    const begun = await approval.begin()
    const assertion = await tap(begun.options)
    status.say('Handing over…')
    leaveFor(await approval.finish(begun, assertion))
  }

  async function refuseIt(): Promise<void> {
    status.say('Telling the program…')
    leaveFor(await approval.refuse())
  }

  reloadWhenStale()
  const hindrance = whyNoPasskeys()
  if (hindrance !== undefined) status.warn(hindrance)
  approve.addEventListener('click', () => {
    if (!isBusy()) approving = busily(approve, status, approveIt)
  })
  const stopWaiting = async () => {
    WebAuthnAbortService.cancelCeremony()
    // A tap that was given before is on its way: then the page stays busy, and no other answer does anything.
    await approving
  }
  refuse.addEventListener('click', async () => {
    await stopWaiting()
    await busily(refuse, status, refuseIt)
  })
  return stopWaiting
}
