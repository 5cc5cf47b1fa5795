/** The first passkey of somebody invited, or the next one of somebody reset, and the signature of the link's key that names it. */
import type { Intent } from '../core/intent.ts'
import { publicKeyIn } from '../core/lib/attestation-object.ts'
import { base64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { signVouch, thumbprintOf, type VouchKey } from '../core/vouch.ts'
import { type CreationOptions, intentOf, make } from './ceremony.ts'
import { EdgeProblem, type Finished, post } from './edge.ts'
import { forgetSecret, showDead, showTemplate, startForm, takeSecret } from './link-secret.ts'
import { leaveFor, part, reloadWhenStale, Status } from './page.ts'
import { showTime } from './times.ts'

const status = new Status('link-status')
/** `INVITE.PRIVATE`: what the invite is called, and the private half of its key, which stays in this page. */
const [invite = '', privateHalf = ''] = takeSecret().split('.')

interface Invitation {
  readonly kind: 'invite' | 'reset'
  readonly name: string
  readonly roles: readonly string[]
  readonly invited_by: string
  readonly made_at: number
  readonly expires_at: number
  readonly key: VouchKey
}

reloadWhenStale()
void checkLink()

async function checkLink(): Promise<void> {
  status.say('Checking the link…')
  try {
    const invitation = await post<Invitation>('/v1/invites/check', { invite })
    showForm(invitation, await privateKeyOf(invitation.key))
  } catch (error) {
    if (isDead(error)) showDead(part('asked', HTMLElement))
    else status.fail(error)
  }
}

/** A link that was cut short or altered has no key that fits. */
class LinkProblem extends Error {}

const isDead = (error: unknown): boolean =>
  error instanceof LinkProblem || (error instanceof EdgeProblem && ['link_invalid', 'bad_request'].includes(error.word))

async function privateKeyOf(key: VouchKey): Promise<CryptoKey> {
  const p256 = { name: 'ECDSA', namedCurve: 'P-256' }
  try {
    if (thumbprintOf(key) !== invite) throw new TypeError('The key is another')
    return await crypto.subtle.importKey('jwk', { ...key, d: privateHalf }, p256, false, ['sign'])
  } catch (cause) {
    throw new LinkProblem('The link has no key that fits', { cause })
  }
}

function showForm({ kind, name, roles, invited_by, made_at, expires_at }: Invitation, key: CryptoKey): void {
  showTemplate(kind, part('place', HTMLElement))
  part('name', HTMLElement).textContent = name
  part('roles', HTMLElement).textContent = rolesInWords(roles)
  part('by', HTMLElement).textContent = invited_by
  if (kind === 'reset') {
    part('by-again', HTMLElement).textContent = invited_by
    showTime(part('made', HTMLTimeElement), new Date(made_at * 1000))
  }
  startForm(status, expires_at, () => register(kind, name, key))
}

function rolesInWords(roles: readonly string[]): string {
  if (roles.length === 0) return 'without any role'
  return `with the ${roles.length === 1 ? 'role' : 'roles'} ${roles.join(', ')}`
}

async function register(kind: Invitation['kind'], name: string, key: CryptoKey): Promise<void> {
  status.say('Waiting for your passkey…')
  try {
    const finished = await ceremony(kind, name, key)
    forgetSecret()
    leaveFor(finished)
  } catch (error) {
    if (isDead(error)) return showDead(part('asked', HTMLElement))
    throw error
  }
}

async function ceremony(kind: Invitation['kind'], name: string, key: CryptoKey): Promise<Finished> {
  const begun = await post<{ ticket: string; options: CreationOptions; approved: Intent }>('/v1/invites/begin', {
    invite,
  })
  const { ticket, options, approved } = begun
  const intent = await intentOf(ticket, { purpose: 'register', subject: { kind, name, invite } }, options.challenge)
  const registration = await make(options)
  status.say('Registering…')
  const publicKey = publicKeyIn(registration.response.attestationObject)
  if (!publicKey) throw new TypeError('The new passkey cannot be read')
  const signature = await signVouch(key, approved, {
    user: intent.user ?? '',
    credential_id: registration.id,
    public_key_hash: base64url(sha256(publicKey)),
    may_vouch: false,
  })
  return post<Finished>('/v1/invites/finish', { invite, ticket, registration, signature })
}
