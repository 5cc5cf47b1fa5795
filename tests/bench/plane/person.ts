/** Somebody who may reach the backend through our proxy after a tap for each session, on a real edge and by the real ceremonies. */
import { exportJWK } from 'jose'
import { type Authenticator, newAuthenticator } from '../../authenticator.ts'
import { login, type Reply, registerFirst, Visitor } from '../../client.ts'
import { acceptInvite, addUser } from '../../invited.ts'
import { approve, askOf, newProofKey, Program, parametersAt, type Tokens } from '../../program.ts'
import { askFor, beginSession, exchangeForm, pgDocument, putDocuments, readerRole, tapTicket } from '../../proxies.ts'
import { resource, type Shown } from './openers.ts'

/** At a time, while grants are made. */
const lanes = 8
/** An access token lives for ten minutes. */
const tokenUseMs = 5 * 60_000
/** As passkeys that are synced: one that counts could not be tapped by many at a time. */
export const uncounted = { counter: 0 }

export interface Person {
  readonly program: Program
  readonly visitor: Visitor
  readonly passkey: Authenticator
  tokens: Tokens
  tokensAt: number
}

/** `secret`: of the link for the first administrator. */
export async function newReader(origin: string, secret: string, backend: number): Promise<Person> {
  const make = () => newAuthenticator({ origin, rpId: 'localhost' })
  const first = await make()
  await ok(registerFirst(new Visitor(origin), secret, first))
  const admin = await signIn(origin, first)
  const token = admin.tokens.access_token
  const document = pgDocument(resource, { uri: `127.0.0.1:${backend}` })
  await putDocuments({ ...admin, token }, document, readerRole('db-reader'))
  const { reply, privateKey } = await addUser({ ...admin, token }, 'Lea', ['access', 'db-reader'])
  const passkey = await make()
  await ok(acceptInvite(new Visitor(origin), reply.json.invite, privateKey, passkey))
  return signIn(origin, passkey)
}

/** With a program of its own. */
export async function signIn(origin: string, passkey: Authenticator): Promise<Person> {
  const visitor = new Visitor(origin)
  await ok(login(visitor, passkey, uncounted))
  const program = new Program(await newProofKey(), new Visitor(origin))
  const asked = askOf(program.key)
  const { location } = await ok(approve(visitor, passkey, asked, uncounted))
  const code = parametersAt(location).get('code') ?? ''
  const tokens = await ok(program.token(program.codeForm(code, asked)))
  return { program, visitor, passkey, tokens, tokensAt: Date.now() }
}

/** What he shows to that process of the proxy, with so many grants. They live for a minute. */
export async function shownBy(person: Person, proxy: { id: string; boot: string }, count: number): Promise<Shown> {
  await freshened(person)
  const grants: string[] = []
  let begun = 0
  const lane = async () => {
    for (; begun < count; ) {
      begun++
      grants.push(await grantFor(person, proxy))
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const key = await exportJWK(person.program.key.privateKey)
  return { key, token: person.tokens.access_token, grants, proxy: proxy.id }
}

/** With a token that lasts a while. */
export async function freshened(person: Person): Promise<void> {
  if (Date.now() - person.tokensAt <= tokenUseMs) return
  person.tokens = await ok(person.program.refresh(person.tokens.refresh_token))
  person.tokensAt = Date.now()
}

export async function grantFor({ program, visitor, passkey, tokens }: Person, proxy: { id: string; boot: string }) {
  const ask = askFor(proxy, resource)
  const { ticket, tap: wanted } = await ok(beginSession(program, tokens.access_token, ask))
  // Where no role wants one there is none to give.
  const tap = wanted ? await tapTicket(visitor, passkey, ticket, uncounted) : undefined
  const { access_token } = await ok(program.token(exchangeForm(tokens.access_token, ask, tap)))
  return access_token as string
}

export async function ok(reply: Promise<Reply>) {
  const { status, text, json } = await reply
  if (status !== 200) throw new Error(`the edge answered ${status}: ${text}`)
  return json
}
