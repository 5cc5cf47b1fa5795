/** A program on the computer of the browser, as the CLI is one: a key, and a server at a loopback address (RFC 8252 section 7.3). */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Json } from '../../core/intent.ts'
import type { VouchKey } from '../../core/vouch.ts'
import { type Reply, Visitor } from '../client.ts'
import { preferenceOf } from '../preferences.ts'
import { type Asked, askOf, newProofKey, Program, type Tokens } from '../program.ts'
import type { Edge, Person } from './browser.ts'

/** What the person's browser shows at the end. Its own icon, so that the browser asks for none. */
const farewell =
  '<!doctype html><html lang="en"><title>Done</title><link rel="icon" href="data:,"><p>You can close this window.</p>'

export class LocalProgram {
  readonly redirectUri: string
  readonly program: Program
  readonly #server: Server
  readonly #answers: URLSearchParams[] = []
  #tokens: Tokens | undefined
  #user: Person | undefined

  private constructor(server: Server, program: Program) {
    this.#server = server
    this.program = program
    this.redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', this.redirectUri)
      if (pathname === '/callback') this.#answers.push(searchParams)
      response.setHeader('Content-Type', 'text/html').end(farewell)
    })
  }

  static async at({ origin }: Edge): Promise<LocalProgram> {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return new LocalProgram(server, new Program(await newProofKey(), new Visitor(origin)))
  }

  /** A request for tokens; `more` makes it wrong. */
  ask(more: Record<string, string | undefined> = {}): Asked & { readonly url: string } {
    const asked = askOf(this.program.key, { redirect_uri: this.redirectUri, ...more })
    return { ...asked, url: `${this.program.visitor.origin}/oauth/authorize?${new URLSearchParams(asked.parameters)}` }
  }

  /** What the browser brought, each answer once. */
  async answerAt({ page }: Person): Promise<Record<string, string>> {
    await page.waitForURL(`${this.redirectUri}?**`)
    const answer = this.#answers.shift()
    if (!answer) throw new Error(`Nothing was brought to ${this.redirectUri}`)
    return Object.fromEntries(answer)
  }

  redeem(code: string, asked: Asked): Promise<Reply> {
    return this.program.token(this.program.codeForm(code, asked))
  }

  /** The person, signed in, approves it. */
  async loginOf(person: Person): Promise<void> {
    const asked = this.ask()
    await person.page.goto(asked.url)
    await person.button('Approve with a passkey').click()
    const { code = '' } = await this.answerAt(person)
    const { status, text, json } = await this.redeem(code, asked)
    if (status !== 200) throw new Error(`the code was answered ${status}: ${text}`)
    this.#tokens = json as Tokens
    this.#user = person
  }

  call(method: string, path: string, body?: Json, headers: Record<string, string> = {}): Promise<Reply> {
    const token = this.#tokens?.access_token ?? ''
    return this.program.call(method, path, token, { headers, ...(body !== undefined && { body }) })
  }

  /** Asks for the tap that an administrative request wants. */
  async waitForTap(operation: string, body: Json, state = 'waiting') {
    const asked = { operation, body, redirect_uri: this.redirectUri, state }
    const { status, text, json } = await this.call('POST', '/v1/taps', asked)
    if (status !== 200) throw new Error(`/v1/taps answered ${status}: ${text}`)
    return json.approve_url as string
  }

  /** The person approves an invite: its link, whole. */
  async invite(person: Person, name: string, roles: readonly string[] = ['access']): Promise<string> {
    const { privateHalf, ...invitation } = await newInvitation(name, roles)
    await person.page.goto(await this.waitForTap('userAdd', invitation))
    await person.button('Approve with a passkey').click()
    const { tap = '' } = await this.answerAt(person)
    const { status, text, json } = await this.call('POST', '/v1/users', invitation, { 'sallyport-tap': tap })
    if (status !== 200) throw new Error(`/v1/users answered ${status}: ${text}`)
    return `${json.link}#${json.invite}.${privateHalf}`
  }

  /** The person approves a reset: its link, whole. */
  async reset(person: Person, name: string): Promise<string> {
    const { privateHalf, invite_key: reset_key } = await newInvitation(name, [])
    const body = { name, reset_key }
    await person.page.goto(await this.waitForTap('userReset', body))
    await person.button('Approve with a passkey').click()
    const { tap = '' } = await this.answerAt(person)
    const { status, text, json } = await this.call('POST', '/v1/users/reset', body, { 'sallyport-tap': tap })
    if (status !== 200) throw new Error(`/v1/users/reset answered ${status}: ${text}`)
    return `${json.link}#${json.invite}.${privateHalf}`
  }

  /** What its user, an editor, has it do. */
  async lock(user: string, message: string): Promise<void> {
    const lock = { kind: 'lock', version: 'v2', metadata: { name: 'lost' }, spec: { target: { user }, message } }
    await this.put({ documents: [lock] })
  }

  /** How everybody logs in from now on, as its user, an editor, has it put. */
  async prefer(spec: Json): Promise<void> {
    await this.put({ documents: [preferenceOf(spec)], force: true })
  }

  /** Documents, with a tap of its user where the cluster wants one; his browser is then back where it was. */
  async put(body: Json): Promise<void> {
    const person = this.#user
    const url: string | undefined = await this.waitForTap('documentsPut', body)
    const headers: Record<string, string> = {}
    if (url !== undefined && person) {
      const before = person.page.url()
      await person.page.goto(url)
      await person.button('Approve with a passkey').click()
      headers['sallyport-tap'] = (await this.answerAt(person))['tap'] ?? ''
      // Its own page would bring the answer of before once more.
      if (!before.startsWith(this.redirectUri)) await person.page.goto(before)
    }
    const { status, text } = await this.call('POST', '/v1/documents', body, headers)
    if (status !== 200) throw new Error(`/v1/documents answered ${status}: ${text}`)
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }
}

/** The body of an invite, and the private half of its key, which goes into the link alone. */
export async function newInvitation(name: string, roles: readonly string[]) {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
  const { x = '', y = '', d: privateHalf = '' } = await crypto.subtle.exportKey('jwk', pair.privateKey)
  const invite_key: VouchKey = { kty: 'EC', crv: 'P-256', x, y }
  return { name, roles: [...roles], invite_key, privateHalf }
}
