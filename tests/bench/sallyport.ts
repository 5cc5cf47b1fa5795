/** Sallyport's built edge, and its one administrator with as many passkeys as there are clients. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AddPasskeySubject, Intent } from '../../core/intent.ts'
import { signVouch, type VouchKey } from '../../core/vouch.ts'
import type { Command } from './contender.ts'
import { Connection, cookiesOf, json } from './http.ts'
import { Passkey } from './passkey.ts'
import type { Server } from './servers.ts'

const program = join(import.meta.dirname, '../../dist/edge/serve.js')

type Creation = { challenge: string; user: { id: string } }
type Begun = { ticket: string; options: Creation }
type Adding = { ticket: string; tap: { challenge: string }; create: Creation }
type Asked = { ticket: string; options: { challenge: string } }

export function edgeCommand(folder: string, port: number): Command {
  if (!existsSync(program)) throw new Error('Cannot measure the edge: it is not built (npm run build)')
  const env = { SALLYPORT_HOME: folder, SALLYPORT_EDGE_PORT: String(port), SALLYPORT_LOGIN_LIMIT: '1000000000' }
  return { args: [program], env }
}

export async function enrollPasskeys(server: Server, port: number, count: number): Promise<readonly Passkey[]> {
  const secret = await server.said(/first-administrator#(\S+)/)
  const browser = await Browser.open(port)
  const first = await browser.becomeAdministrator(secret)
  const passkeys = [first]
  while (passkeys.length < count) passkeys.push(await browser.addPasskey(first, `passkey ${passkeys.length}`))
  browser.close()
  return passkeys
}

/** A browser that keeps its cookies. */
export class Browser {
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

  async logIn(passkey: Passkey): Promise<void> {
    await this.#tap('/v1/login', passkey, {})
  }

  /** Approves a program's request, and answers where the browser is sent with the code. */
  async approve(passkey: Passkey, request: Readonly<Record<string, string>>): Promise<string> {
    const { location } = await this.#tap<{ location: string }>('/v1/authorize', passkey, { request })
    return location
  }

  async #tap<T>(ceremony: string, passkey: Passkey, asked: object): Promise<T> {
    const { ticket, options } = await this.#post<Asked>(`${ceremony}/begin`, asked)
    return this.#post<T>(`${ceremony}/finish`, { ...asked, ticket, assertion: passkey.assertion(options.challenge) })
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
