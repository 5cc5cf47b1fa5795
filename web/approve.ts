/** A tap for a program that waits: the browser carries it to the program's loopback address, and nothing else goes there. */
import { base64url, utf8 } from '../core/lib/bytes.ts'
import { intentOf, type RequestOptions, tap } from './ceremony.ts'
import { type Finished, post } from './edge.ts'
import { busily, leaveFor, part, reloadWhenStale, Status } from './page.ts'
import { whyNoPasskeys } from './words.ts'

const asked = part('asked', HTMLElement)
const status = new Status('approve-status')
const [approve, refuse] = [part('approve', HTMLButtonElement), part('refuse', HTMLButtonElement)]
const { ticket = '', redirect = '', state = '', issuer = '', summary = '', method = '', path = '' } = asked.dataset

reloadWhenStale()
const hindrance = whyNoPasskeys()
if (hindrance !== undefined) status.warn(hindrance)
approve.addEventListener('click', () => void busily(approve, status, approveRequest))
refuse.addEventListener('click', () => void busily(refuse, status, refuseRequest))

async function approveRequest(): Promise<void> {
  status.say('Waiting for your passkey…')
  const { options } = await post<{ options: RequestOptions }>('/v1/taps/options', { ticket })
  await intentOf(ticket, { purpose: 'admin', subject: { method, path, summary } }, options.challenge)
  const { id, response } = await tap(options)
  status.say('Handing over…')
  const { clientDataJSON, authenticatorData, signature } = response
  const assertion = { id, response: { clientDataJSON, authenticatorData, signature } }
  const given = { tap: base64url(utf8(JSON.stringify({ ticket, assertion }))), state, iss: issuer }
  leaveFor({ location: `${redirect}?${new URLSearchParams(given)}` })
}

async function refuseRequest(): Promise<void> {
  status.say('Telling the program…')
  leaveFor(await post<Finished>('/v1/taps/refuse', { ticket, redirect_uri: redirect, state }))
}
