/** An invite from the tap that approves it to the passkey of the one invited: program, page and authenticator of both sides. */
import type { Intent, Json } from '../core/intent.ts'
import { publicKeyIn } from '../core/lib/attestation-object.ts'
import { base64url, utf8 } from '../core/lib/bytes.ts'
import { fingerprintOf } from '../core/tap/public-key.ts'
import { signVouch } from '../core/vouch.ts'
import type { Authenticator, CreationOptions, GetOverrides, RequestOptions } from './authenticator.ts'
import { intentIn, newVouchKey, type Reply, type Visitor } from './client.ts'
import { type Program, redirectUri } from './program.ts'

/** What the program sends, and the private half that it keeps for the link. */
export async function newInvitation(name: string, roles: readonly string[] = ['access']) {
  const { privateKey, vouch_key } = await newVouchKey()
  return { privateKey, body: { name, roles, invite_key: { ...vouch_key } } as Json }
}

/** The same for a reset. */
export async function newReset(name: string) {
  const { privateKey, vouch_key } = await newVouchKey()
  return { privateKey, body: { name, reset_key: { ...vouch_key } } as Json }
}

/** The program's side: the ticket of exactly this request. */
export async function askTap(program: Program, token: string, operation: string, body: Json): Promise<string> {
  const asked = { operation, body, redirect_uri: redirectUri, state: 'state' }
  const { status, text, json } = await program.call('POST', '/v1/taps', token, { body: asked })
  if (status !== 200) throw new Error(`taps answered ${status}: ${text}`)
  return json.ticket
}

/** The page's side: the header that carries the tap. */
export async function tapFor(visitor: Visitor, passkey: Authenticator, ticket: string, overrides?: GetOverrides) {
  const { status, text, json } = await visitor.post('/v1/taps/options', { ticket })
  if (status !== 200) throw new Error(`options answered ${status}: ${text}`)
  const { id, response } = await passkey.get(json.options as RequestOptions, overrides)
  return { 'sallyport-tap': base64url(utf8(JSON.stringify({ ticket, assertion: { id, response } }))) }
}

export interface Admin {
  readonly program: Program
  readonly token: string
  readonly visitor: Visitor
  readonly passkey: Authenticator
}

/** `users add`, whole: what the edge answered, and the private half of the link. */
export async function addUser({ program, token, visitor, passkey }: Admin, name: string, roles?: readonly string[]) {
  const { privateKey, body } = await newInvitation(name, roles)
  const ticket = await askTap(program, token, 'userAdd', body)
  const headers = await tapFor(visitor, passkey, ticket)
  return { reply: await program.call('POST', '/v1/users', token, { body, headers }), privateKey }
}

/** `users reset`, whole. */
export async function resetUser({ program, token, visitor, passkey }: Admin, name: string) {
  const { privateKey, body } = await newReset(name)
  const headers = await tapFor(visitor, passkey, await askTap(program, token, 'userReset', body))
  return { reply: await program.call('POST', '/v1/users/reset', token, { body, headers }), privateKey }
}

/** Everything that the invited one's page sends at the end. */
export async function acceptBody(visitor: Visitor, invite: string, privateKey: CryptoKey, added: Authenticator) {
  const { status, text, json } = await visitor.post('/v1/invites/begin', { invite })
  if (status !== 200) throw new Error(`begin answered ${status}: ${text}`)
  const { ticket, options, approved } = json as { ticket: string; options: CreationOptions; approved: Intent }
  const registration = await added.create(options)
  const signature = await signVouch(privateKey, approved, {
    user: String(intentIn(ticket).user),
    credential_id: registration.id,
    public_key_hash: await fingerprintOf(publicKeyIn(registration.response.attestationObject) ?? new Uint8Array()),
    may_vouch: false,
  })
  return { invite, ticket, registration, signature }
}

export async function acceptInvite(
  visitor: Visitor,
  invite: string,
  privateKey: CryptoKey,
  added: Authenticator,
): Promise<Reply> {
  return visitor.post('/v1/invites/finish', await acceptBody(visitor, invite, privateKey, added))
}
