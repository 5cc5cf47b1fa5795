/** Sallyport's built edge, with as many passkeys of its one administrator as there are clients. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AddPasskeySubject, Intent } from '../../core/intent.ts'
import { signVouch, type VouchKey } from '../../core/vouch.ts'
import type { Client, Contender } from './contender.ts'
import { Connection, cookiesOf, json } from './http.ts'
import { Passkey } from './passkey.ts'

const program = join(import.meta.dirname, '../../dist/edge/serve.js')

type Creation = { challenge: string; user: { id: string } }
type Begun = { ticket: string; options: Creation }
type Adding = { ticket: string; tap: { challenge: string }; create: Creation }

export const sallyport: Contender = {
  name: 'sallyport',

  command(folder, port) {
    if (!existsSync(program)) throw new Error('Cannot measure the edge: it is not built (npm run build)')
    const env = { SALLYPORT_HOME: folder, SALLYPORT_EDGE_PORT: String(port), SALLYPORT_LOGIN_LIMIT: '1000000000' }
    return { args: [program], env }
  },

  async enroll(server, port, clients) {
    const secret = await server.said(/first-administrator#(\S+)/)
    const browser = await Browser.open(port)
    const first = await browser.becomeAdministrator(secret)
    const passkeys = [first]
    while (passkeys.length < clients) passkeys.push(await browser.addPasskey(first, `passkey ${passkeys.length}`))
    browser.close()
    return passkeys.map(clientOf)
  },
}

/** The administrator's own browser: it keeps its cookies. */
class Browser {
  readonly #connection: Connection
  readonly #port: number
  readonly #cookies = new Map<string, string>()

  private constructor(connection: Connection, port: number) {
    this.#connection = connection
    this.#port = port
  }

  static async open(port: number): Promise<Browser> {
    return new Browser(await Connection.open(port), port)
  }

  close(): void {
    this.#connection.close()
  }

  async becomeAdministrator(secret: string): Promise<Passkey> {
    const passkey = this.#newPasskey()
    const begun = await this.#post<Begun>('/v1/first-administrator/begin', { secret, name: 'bench' })
    const registration = passkey.registration(begun.options)
    await this.#post('/v1/first-administrator/finish', { secret, ticket: begun.ticket, registration })
    return passkey
  }

  async addPasskey(first: Passkey, name: string): Promise<Passkey> {
    const passkey = this.#newPasskey()
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
    const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey)
    const key: VouchKey = { kty: 'EC', crv: 'P-256', x, y }
    const begun = await this.#post<Adding>('/v1/passkeys/begin', { name, vouch_key: key })
    const tapped = intentOf(begun.ticket)
    const registration = passkey.registration(begun.create)
    const signature = await signVouch(pair.privateKey, tapped, {
      user: begun.create.user.id,
      credential_id: passkey.id,
      public_key_hash: passkey.publicKeyHash,
      may_vouch: tapped.subject.may_vouch,
    })
    const assertion = first.assertion(begun.tap.challenge)
    const vouched = { vouch_key: key, vouch_signature: signature }
    await this.#post('/v1/passkeys/finish', { ticket: begun.ticket, assertion, registration, ...vouched })
    return passkey
  }

  #newPasskey(): Passkey {
    return new Passkey('localhost', `http://localhost:${this.#port}`)
  }

  async #post<T>(path: string, body: unknown): Promise<T> {
    const answer = await this.#connection.request('POST', path, [...this.#cookies.values()].join('; '), body)
    for (const cookie of cookiesOf(answer.head).split('; ')) this.#cookies.set(cookie.split('=')[0] ?? '', cookie)
    return json<T>(answer)
  }
}

/** The content of a ticket is readable to whoever holds it: the seal is against changes. */
function intentOf(ticket: string): Intent & { subject: AddPasskeySubject } {
  return JSON.parse(Buffer.from(ticket.split('.')[0] ?? '', 'base64url').toString())
}

/** A returning browser: it keeps its ceremony cookie from one login to the next. */
function clientOf(passkey: Passkey): Client {
  let holder = ''
  return async (connection) => {
    const begun = await connection.request('POST', '/v1/login/begin', holder, {})
    const { ticket, options } = json<{ ticket: string; options: { challenge: string } }>(begun)
    holder ||= cookiesOf(begun.head)
    const body = { ticket, assertion: passkey.assertion(options.challenge) }
    const finished = await connection.request('POST', '/v1/login/finish', holder, body)
    json(finished)
    if (!finished.head.includes('__Host-sallyport=')) throw new Error('no session cookie')
  }
}
