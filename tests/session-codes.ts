/** Sessions where codes are the one second factor, of somebody without a passkey. */
import type { SessionAsk } from '../core/access/request-session.ts'
import type { SessionSetAsk } from '../core/access/request-session-set.ts'
import { base64url, utf8 } from '../core/lib/bytes.ts'
import type { Reply, Visitor } from './client.ts'
import { newCodeLogin, newCodePerson } from './code-approvals.ts'
import type { Person } from './people.ts'
import { beginSession, exchangeForm, pgDocument, putDocuments, readerRole } from './proxies.ts'

type Ask = SessionAsk | SessionSetAsk

/** Bob may read pg-1 and pg-2 with a tap for each session, has an app and no passkey, and a program that a code let in. */
export async function newCodeReader(uri = '127.0.0.1:5432') {
  const made = await newCodePerson(['access'])
  const { edge, admin, code } = made
  await putDocuments(admin, pgDocument('pg-1', { uri }), pgDocument('pg-2', { uri }), readerRole())
  edge.store.raw.exec("insert into user_roles select id, 'db-reader' from users where name = 'Bob'")
  const program = await edge.program()
  const { access_token: token, refresh_token: refreshToken } = await newCodeLogin(made.visitor, program, code())
  /** Half a minute later, so that the next code is another one. */
  const nextCode = () => {
    edge.advance(30_000)
    return code()
  }
  const visitor = made.visitor
  const bob: Person = { edge, visitor, passkey: made.passkey, program, token, refreshToken }
  return { ...made, bob, nextCode }
}

export async function beginByCode({ program, token }: Person, ask: Ask): Promise<string> {
  const { status, json, text } = await beginSession(program, token, ask)
  if (status !== 200 || !json.tap) throw new Error(`the session was answered ${status}: ${text}`)
  return json.ticket
}

/** The page's side. */
export const typeCode = (visitor: Visitor, ticket: string, code: string): Promise<Reply> =>
  visitor.post('/v1/taps/code', { ticket, code })

/** What the page hands to the program. */
export const sentOf = (ticket: string, app: string): string => base64url(utf8(JSON.stringify({ ticket, app })))

export const exchangeCode = ({ program, token }: Person, ask: Ask, ticket: string, app: string): Promise<Reply> =>
  program.token(exchangeForm(token, ask, sentOf(ticket, app)))

/** The whole way to a grant. */
export async function grantByCode(bob: Person, ask: Ask, code: () => string): Promise<string> {
  const ticket = await beginByCode(bob, ask)
  const typed = await typeCode(bob.visitor, ticket, code())
  if (typed.status !== 200) throw new Error(`the code was answered ${typed.status}: ${typed.text}`)
  const { status, json, text } = await exchangeCode(bob, ask, ticket, typed.json.app)
  if (status !== 200) throw new Error(`the exchange was answered ${status}: ${text}`)
  return json.access_token
}
