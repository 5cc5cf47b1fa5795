/** Administrators at work: taps that a program waits for, invites, and the people who come by them. */
import { type OperationName, operations } from '../core/api/operations.ts'
import type { Intent, Json, VouchSubject } from '../core/intent.ts'
import { publicKeyIn } from '../core/lib/attestation-object.ts'
import { base64url, utf8 } from '../core/lib/bytes.ts'
import { offerRecovery } from '../core/login/recovery.ts'
import { fingerprintOf } from '../core/tap/public-key.ts'
import { signVouch, thumbprintOf } from '../core/vouch.ts'
import type { Authenticator, CreationOptions, RequestOptions } from './authenticator.ts'
import { intentIn, newVouchKey, type Reply, type Visitor } from './client.ts'
import { newAdministrator, newLogin, signIn, type TestEdge, terminal } from './edge.ts'
import { type Program, redirectUri } from './program.ts'

/** Somebody at a browser, with a passkey and a program that has tokens. */
export interface Person {
  readonly edge: TestEdge
  readonly visitor: Visitor
  readonly passkey: Authenticator
  readonly program: Program
  readonly token: string
  readonly refreshToken: string
}

/** What an administrator's work takes, wherever the edge runs. */
export type Acting = Pick<Person, 'visitor' | 'passkey' | 'program' | 'token'>

export async function personOf(edge: TestEdge, visitor: Visitor, passkey: Authenticator): Promise<Person> {
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  return { edge, visitor, passkey, program, token: tokens.access_token, refreshToken: tokens.refresh_token }
}

/** A cluster in which a recent login is enough for what administrators do, as if a preference said so. */
export const recentIsEnough = { preference: { adminActionMfa: false } } as const

/** The first administrator with a program. */
export async function newAdmin(settings: Parameters<typeof newAdministrator>[0] = {}): Promise<Person> {
  const { edge, visitor, passkey } = await newAdministrator(settings)
  return personOf(edge, visitor, passkey)
}

/** One request, without a tap or with the one that is given. */
export function callOnce(
  { program, token }: Pick<Acting, 'program' | 'token'>,
  method: string,
  path: string,
  body?: Json,
  tap?: string,
): Promise<Reply> {
  const headers = tap === undefined ? {} : { 'sallyport-tap': tap }
  return program.call(method, path, token, body === undefined ? { headers } : { body, headers })
}

/** A request of somebody at a browser: where the edge wants a tap of it, he gives it. */
export async function call(
  person: Pick<Acting, 'program' | 'token'> & Partial<Acting>,
  method: string,
  path: string,
  body?: Json,
): Promise<Reply> {
  const { visitor, passkey, ...rest } = person
  const reply = await callOnce(rest, method, path, body)
  if (reply.json.operation === undefined || !visitor || !passkey) return reply
  const asked = await askForTapOf({ ...rest, visitor, passkey }, reply.json.operation as OperationName, path, body)
  if (asked.status !== 200) return asked
  return callOnce(rest, method, path, body, await tapOn({ visitor, passkey }, asked.json.ticket))
}

/** Asks for the ticket of a request, as a program does that was told which operation it is. */
export function askForTapOf(person: Acting, operation: OperationName, target: string, body?: Json): Promise<Reply> {
  const { pathname, searchParams } = new URL(target, 'https://edge.test')
  const names = [...operations[operation].path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const shape = new RegExp(`^${operations[operation].path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`)
  const values = shape.exec(pathname)?.slice(1).map(decodeURIComponent) ?? []
  const parameters = Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))
  const named = { operation, parameters, query: Object.fromEntries(searchParams), body: body ?? null }
  return callOnce(person, 'POST', '/v1/taps', { ...named, redirect_uri: redirectUri, state: 'state' })
}

/** The same for one whose body says all. */
export const askForTap = (person: Acting, body: Json, operation = 'userAdd'): Promise<Reply> =>
  callOnce(person, 'POST', '/v1/taps', { operation, body, redirect_uri: redirectUri, state: 'state' })

/** What the page does with a ticket: the header of its tap. */
export async function tapOn(
  { visitor, passkey }: Pick<Acting, 'visitor' | 'passkey'>,
  ticket: string,
): Promise<string> {
  const { options } = begun(await visitor.post('/v1/taps/options', { ticket }))
  return tapHeaderOf(ticket, await passkey.get(options as RequestOptions))
}

/** The header of a tap: asked for by the program, given by `passkey` on the page of `visitor`. */
export async function tapFor(
  person: Acting,
  body: Json,
  browser: Pick<Person, 'visitor' | 'passkey'> = person,
  operation = 'userAdd',
): Promise<string> {
  const { ticket } = begun(await askForTap(person, body, operation))
  return tapOn(browser, ticket)
}

export const tapHeaderOf = (ticket: string, assertion: Json): string =>
  base64url(utf8(JSON.stringify({ ticket, assertion })))

function begun({ status, json, text }: Reply) {
  if (status !== 200) throw new Error(`begin answered ${status}: ${text}`)
  return json
}

export const addUser = ({ program, token }: Acting, body: Json, tap?: string): Promise<Reply> =>
  program.call('POST', '/v1/users', token, { body, headers: tap === undefined ? {} : { 'sallyport-tap': tap } })

/** As an administrator does it who trusts the person: what the passkey taps counts from now on. */
export function entrust({ edge, passkey }: Pick<Person, 'edge' | 'passkey'>, vouches = true): void {
  edge.store.raw.prepare('update credentials set may_vouch = ? where id = ?').run(Number(vouches), passkey.credentialId)
}

export type InviteKey = Awaited<ReturnType<typeof newVouchKey>>

export interface Invite {
  /** What the link has: the public half's thumbprint is the id. */
  readonly key: InviteKey
  readonly id: string
}

export async function newInvitation(name: string, roles: readonly string[] = [], more: { readonly ttl?: number } = {}) {
  const key = await newVouchKey()
  return { key, body: { name, roles, invite_key: { ...key.vouch_key }, ...more } }
}

export async function invite(admin: Acting, name: string, roles: readonly string[] = ['access']): Promise<Invite> {
  const { key, body } = await newInvitation(name, roles)
  const { status, text } = await addUser(admin, body, await tapFor(admin, body))
  if (status !== 200) throw new Error(`the invitation of ${name} was answered ${status}: ${text}`)
  return { key, id: thumbprintOf(key.vouch_key) }
}

export const resetWith = ({ program, token }: Person, body: Json, tap?: string): Promise<Reply> =>
  program.call('POST', '/v1/users/reset', token, { body, headers: tap === undefined ? {} : { 'sallyport-tap': tap } })

export async function newReset(name: string, more: { readonly ttl?: number } = {}) {
  const key = await newVouchKey()
  return { key, body: { name, reset_key: { ...key.vouch_key }, ...more } }
}

/** Resets somebody who is there: his link. */
export async function reset(admin: Person, name: string): Promise<Invite> {
  const { key, body } = await newReset(name)
  const { status, text } = await resetWith(admin, body, await tapFor(admin, body, admin, 'userReset'))
  if (status !== 200) throw new Error(`the reset of ${name} was answered ${status}: ${text}`)
  return { key, id: thumbprintOf(key.vouch_key) }
}

/** The link of a recovery, and what its page does. */
export async function recover(edge: TestEdge, name: string): Promise<Person> {
  const { secret } = await offerRecovery(edge.ports, terminal, name)
  const [visitor, passkey] = [edge.visitor(), await edge.authenticator()]
  const { status, text } = await visitor.post('/v1/recovery/finish', await recoveryBody(visitor, passkey, secret))
  if (status !== 200) throw new Error(`the recovery of ${name} was answered ${status}: ${text}`)
  return personOf(edge, visitor, passkey)
}

export async function recoveryBody(visitor: Visitor, passkey: Authenticator, secret: string) {
  const { ticket, options } = begun(await visitor.post('/v1/recovery/begin', { secret }))
  return { secret, ticket: ticket as string, registration: await passkey.create(options as CreationOptions) }
}

/** Everything that finish wants, as the invite's page makes it. `signing`: the private half that the link had. */
export async function acceptBody(visitor: Visitor, passkey: Authenticator, { id, key }: Invite, signing = key) {
  const { ticket, options, approved } = begun(await visitor.post('/v1/invites/begin', { invite: id }))
  const registration = await passkey.create(options as CreationOptions)
  const subject: VouchSubject = {
    user: String(intentIn(ticket).user),
    credential_id: registration.id,
    public_key_hash: await fingerprintOf(publicKeyIn(registration.response.attestationObject) ?? new Uint8Array()),
    may_vouch: false,
  }
  const signature = await signVouch(signing.privateKey, approved as Intent, subject)
  return { invite: id, ticket: ticket as string, registration, signature }
}

/** Somebody is invited and registers his passkey in his browser, which is then signed in. */
export async function join(
  admin: Acting,
  name: string,
  roles: readonly string[],
  { visitor, passkey }: Pick<Person, 'visitor' | 'passkey'>,
): Promise<void> {
  const invited = await invite(admin, name, roles)
  const { status, text } = await visitor.post('/v1/invites/finish', await acceptBody(visitor, passkey, invited))
  if (status !== 200) throw new Error(`the invite of ${name} was answered ${status}: ${text}`)
}

/** Invited, registered, signed in, with a program. */
export async function newPerson(admin: Person, name: string, roles: readonly string[] = ['access']): Promise<Person> {
  const { edge } = admin
  const [visitor, passkey] = [edge.visitor(), await edge.authenticator()]
  await join(admin, name, roles, { visitor, passkey })
  return personOf(edge, await signIn(edge, passkey), passkey)
}

export const putDocuments = (admin: Acting, documents: readonly Json[], force = false): Promise<Reply> =>
  call(admin, 'POST', '/v1/documents', { documents, force })

export const lockOf = (user: string, spec: { readonly message?: string; readonly expires?: string } = {}) => ({
  kind: 'lock',
  version: 'v2',
  metadata: { name: `lock-${user.toLowerCase()}` },
  spec: { target: { user }, ...spec },
})

/** A user as a document. */
export const userOf = (
  name: string,
  spec: {
    readonly roles?: readonly string[]
    readonly traits?: Readonly<Record<string, readonly string[]>>
  } = {},
) => ({ kind: 'user', version: 'v2', metadata: { name }, spec }) as const

/** A lock of the name `l`. */
export const lockOn = (target: Readonly<Record<string, string>>, message?: string) => ({
  kind: 'lock',
  version: 'v2',
  metadata: { name: 'l' },
  spec: { target, ...(message !== undefined && { message }) },
})

/** The logins of programs, as the database has them. */
export const loginsOf = (edge: TestEdge) => edge.rows('select end_reason from client_sessions order by rowid')

/** How often a login was written down as ended. */
export const endsOf = (edge: TestEdge) => edge.rows("select detail from audit where kind = 'client.end'")
