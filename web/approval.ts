/**
 * What the pages that approve share: one button says yes, with a passkey or with what is typed beside it; the other says no, also while
 * the browser waits for a tap.
 */
import { WebAuthnAbortService } from '@simplewebauthn/browser'
import { type Assertion, type RequestOptions, tap } from './ceremony.ts'
import { EdgeProblem, type Finished } from './edge.ts'
import { busily, isBusy, leaveFor, mayBe, onSubmit, part, reloadWhenStale, Status } from './page.ts'
import { startShowing } from './show-password.ts'
import { proofRefused, whyNoPasskeys } from './words.ts'

export interface Begun {
  /** undefined: it takes what is typed. */
  readonly options?: RequestOptions
}

export const challengesOf = ({ options }: Begun): string[] => (options ? [options.challenge] : [])

/** What the edge reads beside the ticket. */
export interface Proof {
  readonly assertion?: Assertion
  readonly current?: { readonly password?: string; readonly code: string }
}

export interface Approval<B extends Begun> {
  /** Asks for the approval. @throws where it would be for something other than what the page shows */
  begin(): Promise<B>
  finish(begun: B, proof: Proof): Promise<Finished>
  refuse(): Promise<Finished>
}

/** Answers how another answer than a tap begins: by ending the wait for one. */
export function startApproval<B extends Begun>(approval: Approval<B>): () => Promise<void> {
  const status = new Status('approve-status')
  const refuse = part('refuse', HTMLButtonElement)
  let approving = Promise.resolve()

  async function approveIt(): Promise<void> {
    status.say(isTyped() ? 'Checking…' : 'Waiting for your passkey…')
    const begun = await approval.begin()
    const proof = await prove(begun)
    status.say('Handing over…')
    leaveFor(await approval.finish(begun, proof).catch(tryAnotherCode))
  }

  async function refuseIt(): Promise<void> {
    status.say('Telling the program…')
    leaveFor(await approval.refuse())
  }

  reloadWhenStale()
  const approve = mayBe('approve', HTMLButtonElement)
  const start = () => {
    if (approve && !isBusy()) approving = busily(approve, status, approveIt)
  }
  if (isTyped()) {
    startShowing()
    onSubmit('proof', start)
  } else if (approve) {
    const hindrance = whyNoPasskeys()
    if (hindrance !== undefined) status.warn(hindrance)
    approve.addEventListener('click', start)
  }
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

/** Whether the page asks for a code, and perhaps a password. */
const isTyped = (): boolean => mayBe('proof', HTMLFormElement) !== undefined
const codeBox = () => part('current-code', HTMLInputElement)

async function prove({ options }: Begun): Promise<Proof> {
  if ((options === undefined) !== isTyped())
    throw new EdgeProblem('proof_changed', 'What it takes to approve this has changed: reload the page.')
  if (options) return { assertion: await tap(options) }
  const password = mayBe('current-password', HTMLInputElement)
  return { current: { ...(password && { password: password.value }), code: codeBox().value } }
}

/** A code that was sent is used up, or was wrong. */
function tryAnotherCode(error: unknown): never {
  if (!isTyped()) throw error
  codeBox().value = ''
  codeBox().focus()
  throw proofRefused(error)
}
