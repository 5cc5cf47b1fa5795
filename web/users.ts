/**
 * Links for people: the key of a link is made here, a tap approves exactly the request that names its public half, and the private half
 * stands in the link alone, behind the #, which no server sees.
 */
import { WebAuthnAbortService } from '@simplewebauthn/browser'
import { canonicalJson } from '../core/intent.ts'
import { base64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import type { VouchKey } from '../core/vouch.ts'
import { intentOf, type RequestOptions, tap } from './ceremony.ts'
import { copyWith } from './copy.ts'
import { EdgeProblem, post } from './edge.ts'
import { busily, leaveFor, mayBe, onSubmit, part, reloadWhenStale, Status, setBusy } from './page.ts'
import { localizeTimes, showTime } from './times.ts'
import { whyNoPasskeys } from './words.ts'

reloadWhenStale()
localizeTimes()
const hindrance = whyNoPasskeys()
if (hindrance !== undefined) new Status('users-status').warn(hindrance)
if (mayBe('invite', HTMLFormElement)) startInviting()
if (mayBe('reset', HTMLDialogElement)) startResetting()

interface Link {
  readonly name: string
  readonly invite: string
  readonly link: string
  readonly expires_at: number
}

type Body = { readonly name: string; readonly ttl: number; readonly roles?: readonly string[] }

/** What each is called, where a program would send it, and which member of its body names the link's key. */
const actions = {
  invite: { operation: 'userAdd', path: '/v1/users', key: 'invite_key' },
  reset: { operation: 'userReset', path: '/v1/users/reset', key: 'reset_key' },
} as const

function startInviting(): void {
  const status = new Status('invite-status')
  const button = part('invite-button', HTMLButtonElement)
  const name = part('name', HTMLInputElement)
  onSubmit('invite', () => {
    name.removeAttribute('aria-invalid')
    void busily(button, status, async () => {
      const roles = chosenRoles()
      const ttl = Number(part('invite-ttl', HTMLSelectElement).value)
      const link = await makeLink('invite', { name: name.value, roles, ttl }, status).catch((error: unknown) => {
        if (isAboutName(error)) {
          name.setAttribute('aria-invalid', 'true')
          name.focus()
        }
        throw error
      })
      setBusy(button, false)
      showLink(link)
    })
  })
}

const isAboutName = (error: unknown): boolean =>
  error instanceof EdgeProblem && ['name_invalid', 'name_taken', 'user_waiting'].includes(error.word)

function chosenRoles(): string[] {
  const boxes = [...document.querySelectorAll<HTMLInputElement>('#roles input')]
  const roles = boxes.filter(({ checked }) => checked).map(({ value }) => value)
  if (roles.length > 0) return roles
  boxes[0]?.focus()
  throw new EdgeProblem('no_role', 'Choose at least one role: without any, nobody can do anything here.')
}

function startResetting(): void {
  const dialog = part('reset', HTMLDialogElement)
  const status = new Status('reset-status')
  const button = part('reset-button', HTMLButtonElement)
  const cancel = part('reset-cancel', HTMLButtonElement)
  let name = ''
  for (const opener of document.querySelectorAll<HTMLButtonElement>('button[data-reset]')) {
    opener.addEventListener('click', () => {
      name = opener.dataset['reset'] ?? ''
      part('reset-act', HTMLElement).textContent = opener.dataset['act'] ?? ''
      part('reset-name', HTMLElement).textContent = name
      status.say('')
      dialog.showModal()
      // Enter in a hurry must remove nothing.
      cancel.focus()
    })
  }
  cancel.addEventListener('click', () => dialog.close())
  // Escape closes the dialog too, perhaps while the browser still asks for a tap.
  dialog.addEventListener('close', () => WebAuthnAbortService.cancelCeremony())
  onSubmit('reset-form', () => {
    void busily(button, status, async () => {
      const ttl = Number(part('reset-ttl', HTMLSelectElement).value)
      const link = await makeLink('reset', { name, ttl }, status)
      setBusy(button, false)
      dialog.close()
      showLink(link)
    })
  })
}

/** @throws EdgeProblem, and where the ticket is for another request */
async function makeLink(kind: keyof typeof actions, asked: Body, status: Status): Promise<Link & { url: string }> {
  const { operation, path, key } = actions[kind]
  status.say('Checking…')
  const { jwk, privateHalf } = await newLinkKey()
  const body = { ...asked, [key]: jwk }
  const begun = await post<{ ticket: string; options: RequestOptions }>('/v1/actions/begin', { operation, body })
  const subject = { method: 'POST', path, body_hash: base64url(sha256(canonicalJson(body))) }
  await intentOf(begun.ticket, { purpose: 'admin', subject }, begun.options.challenge)
  status.say('Waiting for your passkey…')
  const assertion = await tap(begun.options)
  status.say('Making the link…')
  const made = await post<Link>('/v1/actions', { operation, body, ticket: begun.ticket, assertion })
  status.say('')
  return { ...made, url: `${made.link}#${made.invite}.${privateHalf}` }
}

async function newLinkKey(): Promise<{ readonly jwk: VouchKey; readonly privateHalf: string }> {
  const p256 = { name: 'ECDSA', namedCurve: 'P-256' }
  const { privateKey } = await crypto.subtle.generateKey(p256, true, ['sign', 'verify'])
  const { x = '', y = '', d: privateHalf = '' } = await crypto.subtle.exportKey('jwk', privateKey)
  return { jwk: { kty: 'EC', crv: 'P-256', x, y }, privateHalf }
}

/** This once. Until it is handed over, the page offers nothing else. */
function showLink({ name, url, expires_at }: Link & { readonly url: string }): void {
  part('link-name', HTMLElement).textContent = name
  part('link-text', HTMLElement).textContent = url
  showTime(part('link-expires', HTMLTimeElement), new Date(expires_at * 1000))
  for (const section of document.querySelectorAll<HTMLElement>('main > section')) section.hidden = true
  part('link', HTMLElement).hidden = false
  part('link-heading', HTMLElement).focus()
  const copy = part('link-copy', HTMLButtonElement)
  copy.addEventListener('click', () => void copyWith(copy, new Status('link-status'), url))
  part('link-done', HTMLButtonElement).addEventListener('click', () => leaveFor({ location: '/users' }))
}
