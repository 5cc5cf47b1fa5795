/** A browser's side of the edge, in a few calls: cookies, ceremonies, and what a hostile browser would send instead. */
import type { Intent, Json, VouchSubject } from '../core/intent.ts'
import { publicKeyIn } from '../core/lib/attestation-object.ts'
import { fromBase64url, textOf } from '../core/lib/bytes.ts'
import type { CredentialKind } from '../core/model.ts'
import { fingerprintOf } from '../core/tap/public-key.ts'
import { signVouch, type VouchKey } from '../core/vouch.ts'
import {
  type Authenticator,
  type CreateOverrides,
  type CreationOptions,
  flag,
  type GetOverrides,
  type RequestOptions,
} from './authenticator.ts'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; an empty object where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read members of many shapes, and fail on a wrong one
  readonly json: any
}

type Send = (url: string, init: RequestInit) => Promise<Response>

let visitors = 0
/** Local workerd believes this header, which Cloudflare itself sets; so each visitor has an address, and a limit, of its own. */
const someAddress = () => `192.0.2.${(visitors++ % 254) + 1}`

/** One browser: what it is told to keep, it sends again. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly origin: string
  readonly #send: Send
  readonly address: string

  constructor(origin: string, send: Send = fetch, address = someAddress()) {
    this.origin = origin
    this.#send = send
    this.address = address
  }

  /** The same cookies in another browser: what a thief has. */
  copy(): Visitor {
    const thief = new Visitor(this.origin, this.#send)
    for (const [name, value] of this.cookies) thief.cookies.set(name, value)
    return thief
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.request('GET', path, undefined, { accept: 'text/html', ...headers })
  }

  post(path: string, body: Json, headers: Record<string, string> = {}): Promise<Reply> {
    return this.request('POST', path, JSON.stringify(body), {
      origin: this.origin,
      'content-type': 'application/json',
      ...headers,
    })
  }

  async request(
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
  ): Promise<Reply> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const init: RequestInit = {
      method,
      redirect: 'manual',
      headers: { 'cf-connecting-ip': this.address, ...(cookie && { cookie }), ...headers },
    }
    const response = await this.#send(this.origin + path, body === undefined ? init : { ...init, body })
    for (const line of response.headers.getSetCookie()) this.#keep(line)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: jsonOf(text) }
  }

  #keep(line: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (name === undefined || value === undefined) return
    if (value === '' || /max-age=0/i.test(line)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return {}
  }
}

/** A ceremony that must begin; what it answers is read by the test. */
async function begun(reply: Promise<Reply>) {
  const { status, json, text } = await reply
  if (status !== 200) throw new Error(`begin answered ${status}: ${text}`)
  return json
}

export async function registerFirst(
  visitor: Visitor,
  secret: string,
  authenticator: Authenticator,
  { name = 'Ada', overrides }: { name?: string; overrides?: CreateOverrides } = {},
): Promise<Reply> {
  const { ticket, options } = await begun(visitor.post('/v1/first-administrator/begin', { secret, name }))
  const registration = await authenticator.create(options as CreationOptions, overrides)
  return visitor.post('/v1/first-administrator/finish', { secret, ticket, registration })
}

export async function loginBody(visitor: Visitor, authenticator: Authenticator, overrides?: GetOverrides) {
  const { ticket, options } = await begun(visitor.post('/v1/login/begin', {}))
  return { ticket: ticket as string, assertion: await authenticator.get(options as RequestOptions, overrides) }
}

export async function login(visitor: Visitor, authenticator: Authenticator, overrides?: GetOverrides): Promise<Reply> {
  return visitor.post('/v1/login/finish', await loginBody(visitor, authenticator, overrides))
}

/** The one-time key of a page that adds a passkey, or of an invite. Extractable: a test looks for it where it must not be. */
export async function newVouchKey(): Promise<{ privateKey: CryptoKey; vouch_key: VouchKey }> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  return { privateKey: pair.privateKey, vouch_key: { kty: 'EC', crv: 'P-256', x, y } }
}

export const intentIn = (ticket: string): Intent =>
  JSON.parse(textOf(fromBase64url(ticket.split('.')[0] ?? '') ?? new Uint8Array()) ?? '') as Intent

interface Adding {
  readonly kind?: CredentialKind
  readonly name?: string
  readonly tap?: GetOverrides
  readonly create?: CreateOverrides
}

const kindOf = ({ kind }: Adding) => (kind === undefined ? {} : { kind })

/** Everything that finish wants, as the page makes it. `tapping` is a passkey of the user, `added` the new one. */
export async function addBody(visitor: Visitor, tapping: Authenticator, added: Authenticator, adding: Adding = {}) {
  const { privateKey, vouch_key } = await newVouchKey()
  const begin = await begun(
    visitor.post('/v1/passkeys/begin', { ...kindOf(adding), name: adding.name ?? 'Second', vouch_key }),
  )
  const assertion = await tapping.get(begin.tap as RequestOptions, adding.tap)
  const registration = await added.create(begin.create as CreationOptions, adding.create)
  const intent = intentIn(begin.ticket as string)
  const subject: VouchSubject = {
    user: String(intent.user),
    credential_id: registration.id,
    public_key_hash: await fingerprintOf(publicKeyIn(registration.response.attestationObject) ?? new Uint8Array()),
    may_vouch: (intent.subject as { may_vouch?: boolean }).may_vouch === true,
  }
  const vouch_signature = await signVouch(privateKey, intent, subject)
  return { ticket: begin.ticket as string, assertion, registration, vouch_key, vouch_signature }
}

export async function addPasskey(
  visitor: Visitor,
  tapping: Authenticator,
  added: Authenticator,
  adding: Adding = {},
): Promise<Reply> {
  return visitor.post('/v1/passkeys/finish', await addBody(visitor, tapping, added, adding))
}

/** One without PIN: a touch is all that it ever gives. */
export const addSecurityKey = (
  visitor: Visitor,
  tapping: Authenticator,
  added: Authenticator,
  adding: Adding = {},
): Promise<Reply> =>
  addPasskey(visitor, tapping, added, { kind: 'security_key', create: { flags: flag.UP | flag.AT }, ...adding })

/** A touch of it. */
export const touch = { flags: flag.UP, userHandle: null } as const

export async function removeBody(
  visitor: Visitor,
  tapping: Authenticator,
  credentialId: string,
  overrides?: GetOverrides,
) {
  const { ticket, options } = await begun(visitor.post(`/v1/passkeys/${credentialId}/remove/begin`, {}))
  return { ticket: ticket as string, assertion: await tapping.get(options as RequestOptions, overrides) }
}

export async function removePasskey(visitor: Visitor, tapping: Authenticator, credentialId: string): Promise<Reply> {
  return visitor.post(`/v1/passkeys/${credentialId}/remove`, await removeBody(visitor, tapping, credentialId))
}

export const sessionCookieName = '__Host-sallyport'
export const ceremonyCookieName = '__Host-sallyport-ceremony'
