/**
 * One conversation with a certificate authority by ACME (RFC 8555): account, order, challenge over TLS (RFC 8737), certificate. Ours,
 * because the one client library that does this challenge has had no release for more than two years, and brings fifty packages.
 */
import { printable } from '../../core/access/place.ts'
import type { Json } from '../../core/intent.ts'
import { type AccountKey, keyAuthorization, signRequest } from '../../core/issue/acme.ts'
import { type Duration, seconds } from '../../core/model.ts'
import { AcmeFailure } from './failure.ts'
import type { Reply, Send } from './send.ts'

interface Needs {
  readonly send: Send
  readonly key: AccountKey
  /** Its URL. */
  readonly directory: string
  readonly email: string | undefined
  /** Rejects where everything ends. */
  readonly wait: (ms: Duration) => Promise<void>
}

/** Answers how to close it again. */
export type OpenChallenge = (name: string, authorization: string) => Promise<() => void>

type Fields = { readonly [name: string]: Json | undefined }

const challengeType = 'tls-alpn-01'
const problemPrefix = 'urn:ietf:params:acme:error:'
/** Nonces are refused now and then, as one that another process has used (section 6.5). */
const mostNonces = 10
/** Until an authority has looked, and until it has signed: together 200 s at the most. */
const mostPolls = 40
const pollMs: Duration = seconds(1)
const longestPollMs: Duration = seconds(5)
const longestDetail = 300

export class AcmeClient {
  readonly #needs: Needs
  #directory: Fields = {}
  #nonce: string | undefined
  #kid: string | undefined

  constructor(needs: Needs) {
    this.#needs = needs
  }

  /** Section 7.3: the account of this key, made where there is none. @throws AcmeFailure */
  async begin(): Promise<void> {
    const { send, directory, email } = this.#needs
    this.#directory = fieldsOf(fine(await send('GET', directory)))
    const contact = email === undefined ? {} : { contact: [`mailto:${email}`] }
    const reply = await this.#post(this.#of('newAccount'), { termsOfServiceAgreed: true, ...contact })
    if (text(fieldsOf(reply), 'status') !== 'valid') throw new AcmeFailure('the account is not valid')
    this.#kid = locationOf(reply)
  }

  /** Section 7.4. `csr`: DER, base64url. Answers the chain, PEM. @throws AcmeFailure */
  async order(name: string, csr: string, open: OpenChallenge): Promise<string> {
    const made = await this.#post(this.#of('newOrder'), { identifiers: [{ type: 'dns', value: name }] })
    const [url, order] = [locationOf(made), fieldsOf(made)]
    for (const one of urls(order, 'authorizations')) await this.#prove(name, one, open)
    await this.#post(text(order, 'finalize'), { csr })
    const issued = await this.#until(url, ['valid'])
    return fine(await this.#post(text(issued, 'certificate'), undefined)).body.toString('latin1')
  }

  /** Section 7.5. */
  async #prove(name: string, url: string, open: OpenChallenge): Promise<void> {
    const authorization = fieldsOf(await this.#post(url, undefined))
    const identifier = isFields(authorization['identifier']) ? authorization['identifier'] : {}
    if (identifier['type'] !== 'dns' || identifier['value'] !== name)
      throw new AcmeFailure('it asks for a name that was not ordered')
    if (authorization['status'] === 'valid') return
    const offered = Array.isArray(authorization['challenges']) ? authorization['challenges'] : []
    const challenge = offered.filter(isFields).find(({ type }) => type === challengeType)
    if (!challenge) throw new AcmeFailure(`it offers no challenge ${challengeType} for this name`)
    const close = await open(name, keyAuthorization(text(challenge, 'token'), this.#needs.key))
    try {
      await this.#post(text(challenge, 'url'), {})
      await this.#until(url, ['valid'])
    } finally {
      close()
    }
  }

  /** Asks again until it is so, as slowly as it is told to (section 7.5.1). */
  async #until(url: string, wanted: readonly string[]): Promise<Fields> {
    for (let polls = 0; polls < mostPolls; polls++) {
      const reply = await this.#post(url, undefined)
      const state = fieldsOf(reply)
      const status = text(state, 'status')
      if (wanted.includes(status)) return state
      if (!['pending', 'processing', 'ready'].includes(status)) throw failureIn(state, status)
      await this.#needs.wait(Math.min(retryAfterOf(reply) ?? pollMs, longestPollMs))
    }
    throw new AcmeFailure('it does not come to an end')
  }

  #of(name: string): string {
    return text(this.#directory, name)
  }

  async #post(url: string, payload: Json | undefined): Promise<Reply> {
    const { key, send } = this.#needs
    for (let tries = 1; ; tries++) {
      const nonce = this.#nonce ?? (await this.#newNonce())
      this.#nonce = undefined
      const reply = await send('POST', url, await signRequest(key, { url, nonce, kid: this.#kid }, payload))
      this.#nonce = nonceOf(reply)
      if (reply.status < 300) return reply
      const failure = failureOf(reply)
      if (failure.type !== 'badNonce' || tries === mostNonces) throw failure
    }
  }

  /** Section 7.2. */
  async #newNonce(): Promise<string> {
    const nonce = nonceOf(fine(await this.#needs.send('HEAD', this.#of('newNonce'))))
    if (nonce === undefined) throw new AcmeFailure('it gives no nonce')
    return nonce
  }
}

function fine(reply: Reply): Reply {
  if (reply.status < 300) return reply
  throw failureOf(reply)
}

const isFields = (json: Json | undefined): json is { [name: string]: Json } =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

function parsed(reply: Reply): Json | undefined {
  try {
    return JSON.parse(reply.body.toString('utf8')) as Json
  } catch {
    return undefined
  }
}

function fieldsOf(reply: Reply): Fields {
  const json = parsed(reply)
  if (isFields(json)) return json
  throw new AcmeFailure('its answer is no JSON object')
}

function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value === 'string') return value
  throw new AcmeFailure(`its answer has no ${name}`)
}

function urls(fields: Fields, name: string): readonly string[] {
  const value = fields[name]
  if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string'))
    return value as string[]
  throw new AcmeFailure(`its answer has no ${name}`)
}

function locationOf({ headers }: Reply): string {
  if (headers.location !== undefined) return headers.location
  throw new AcmeFailure('its answer has no location')
}

/** Base64url (section 6.5.1): anything else would be written into what is signed. */
function nonceOf({ headers }: Reply): string | undefined {
  const nonce = headers['replay-nonce']
  return typeof nonce === 'string' && /^[\w-]{1,512}$/.test(nonce) ? nonce : undefined
}

/** Seconds, or an instant, from the reply's own clock on. */
function retryAfterOf({ headers }: Reply): Duration | undefined {
  const given = headers['retry-after']
  if (given === undefined) return undefined
  if (/^\d{1,9}$/.test(given)) return seconds(Number(given))
  const ms = Date.parse(given) - Date.parse(headers.date ?? '')
  return ms > 0 ? ms : undefined
}

/** Section 6.7. What it says is for the log alone. */
function failureOf(reply: Reply): AcmeFailure {
  const json = parsed(reply)
  const { message, type } = problemIn(isFields(json) ? json : {}, `status ${reply.status}`)
  return new AcmeFailure(message, { ...(type !== undefined && { type }), retryAfter: retryAfterOf(reply) })
}

/** Of an order or an authorization that came to nothing: its own error, or that of a challenge. */
function failureIn(state: Fields, status: string): AcmeFailure {
  const challenges = Array.isArray(state['challenges']) ? state['challenges'].filter(isFields) : []
  const error = [state, ...challenges].map((one) => one['error']).find(isFields)
  const { message, type } = problemIn(error ?? {}, `it is ${printable(status, longestDetail)}`)
  return new AcmeFailure(message, type === undefined ? {} : { type })
}

function problemIn(
  problem: Fields,
  otherwise: string,
): { readonly message: string; readonly type: string | undefined } {
  const given = typeof problem['type'] === 'string' ? problem['type'] : ''
  const type = given.startsWith(problemPrefix) ? printable(given.slice(problemPrefix.length), 64) : undefined
  const detail = typeof problem['detail'] === 'string' ? printable(problem['detail'], longestDetail) : undefined
  return { message: [type, detail ?? otherwise].filter(Boolean).join(': '), type }
}
