/** Approving a program: the tap signs the hash of exactly the request that this page shows. */
import { canonicalJson } from '../core/intent.ts'
import { base64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { intentOf, type RequestOptions, tap } from './ceremony.ts'
import { type Finished, post } from './edge.ts'
import { busily, leaveFor, part, reloadWhenStale, Status } from './page.ts'
import { whyNoPasskeys } from './words.ts'

const asked = part('asked', HTMLElement)
const status = new Status('approve-status')
const [approve, refuse] = [part('approve', HTMLButtonElement), part('refuse', HTMLButtonElement)]
const request = JSON.parse(asked.dataset['request'] ?? '') as Readonly<Record<string, string | undefined>>

reloadWhenStale()
const hindrance = whyNoPasskeys()
if (hindrance !== undefined) status.warn(hindrance)
approve.addEventListener('click', () => void busily(approve, status, approveRequest))
refuse.addEventListener('click', () => void busily(refuse, status, refuseRequest))

async function approveRequest(): Promise<void> {
  status.say('Waiting for your passkey…')
  const { ticket, options } = await post<{ ticket: string; options: RequestOptions }>('/v1/authorize/begin', {
    request,
  })
  await intentOf(ticket, { purpose: 'cli', subject: subjectShown() }, options.challenge)
  const assertion = await tap(options)
  status.say('Handing over…')
  leaveFor(await post<Finished>('/v1/authorize/finish', { request, ticket, assertion }))
}

/** The same as core/oauth/authorize.ts makes of the request. */
function subjectShown() {
  const { client_id = '', redirect_uri = '', code_challenge = '', state = '', dpop_jkt = '' } = request
  const flow = base64url(sha256(canonicalJson({ client_id, redirect_uri, code_challenge, state })))
  const { scope = '', address = '' } = asked.dataset
  return { flow, client_key: dpop_jkt, scope, address }
}

async function refuseRequest(): Promise<void> {
  status.say('Telling the program…')
  leaveFor(await post<Finished>('/v1/authorize/refuse', { request }))
}
