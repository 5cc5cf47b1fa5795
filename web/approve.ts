/** A tap for a program that waits: the browser carries it to the program's loopback address, and nothing else goes there. */
import type { AdminSubject, Subjects } from '../core/intent.ts'
import { base64url, utf8 } from '../core/lib/bytes.ts'
import { type Begun, type Proof, startApproval } from './approval.ts'
import { intentOf, type RequestOptions } from './ceremony.ts'
import { startCountdown } from './countdown.ts'
import { showDifference } from './difference.ts'
import { type Finished, post } from './edge.ts'
import { busily, leaveFor, part, Status } from './page.ts'

const asked = part('asked', HTMLElement)
const { ticket = '', redirect = '', state = '', issuer = '' } = asked.dataset
const purpose = (['session', 'register'] as const).find((one) => one === asked.dataset['purpose']) ?? 'admin'
const subject = JSON.parse(asked.dataset['shown'] ?? '') as Partial<Subjects[typeof purpose]>
const status = new Status('approve-status')

const difference = shownDifference()
difference.catch((error: unknown) => {
  hinder()
  status.fail(error)
})

const stopWaiting = startApproval<Begun>({
  begin: async () => {
    await difference
    if (asked.dataset['way'] === 'code') {
      await intentOf(ticket, { purpose, subject })
      return {}
    }
    const begun = await post<{ options: RequestOptions }>('/v1/taps/options', { ticket })
    await intentOf(ticket, { purpose, subject }, begun.options.challenge)
    return begun
  },
  finish: async (_, proof) => {
    const sent = JSON.stringify({ ticket, ...(await approvalOf(proof)) })
    const given = { tap: base64url(utf8(sent)), state, iss: issuer }
    return { location: `${redirect}?${new URLSearchParams(given)}` }
  },
  refuse: () => post('/v1/taps/refuse', { ticket, redirect_uri: redirect, state }),
})

/** A code goes to the edge alone: the program hears of which app it was. */
async function approvalOf({ assertion: tapped, current }: Proof) {
  if (current) return post<{ app: string }>('/v1/taps/code', { ticket, code: current.code })
  if (!tapped) throw new TypeError('Nothing approves this')
  const { clientDataJSON, authenticatorData, signature } = tapped.response
  return { assertion: { id: tapped.id, response: { clientDataJSON, authenticatorData, signature } } }
}

startCountdown('left', () => {
  hinder()
  status.warn('This has expired. Start it again in the program that asked.')
})

const notMe = part('not-me', HTMLButtonElement)
notMe.addEventListener('click', async () => {
  await stopWaiting()
  await busily(notMe, status, async () => leaveFor(await post<Finished>('/v1/taps/disown', { ticket }), ended))
})

const ended =
  'The request was refused, and the login of the program that asked is ended. Whoever asked had your program’s key: look at that computer, and at your other sessions below.'

/** The page reads the hash in the ticket that it sends, not one that stands beside it. */
async function shownDifference(): Promise<void> {
  const { subject: said } = await intentOf(ticket, { purpose, subject })
  const { changes = '', unshown_lines: unshown } = said as Partial<AdminSubject>
  if (changes !== '' && unshown === undefined) await showDifference(changes)
}

/** What cannot be approved any more has no button that says so. Who stands on it with the keyboard stands on the answer that is left. */
function hinder(): void {
  const approve = part('approve', HTMLButtonElement)
  const hasFocus = document.activeElement === approve
  approve.disabled = true
  if (hasFocus) part('refuse', HTMLButtonElement).focus()
}
