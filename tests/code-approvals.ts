/** Clusters whose one second factor is codes, and people there who have no passkey: how they approve programs. */
import type { Reply, Visitor } from './client.ts'
import { askForCodes, headlessRole } from './device-flow.ts'
import type { TestEdge } from './edge.ts'
import { addTotp, codeAt, goodPassword, passwordLogin, setPassword } from './factors.ts'
import { newAdmin, newPerson, putDocuments } from './people.ts'
import { prefer } from './preferences.ts'
import { askOf, type Program, parametersAt, type Tokens } from './program.ts'

export const onlyCodes = { second_factor: 'otp', allow_passwords: true }

type Settings = Parameters<typeof newAdmin>[0]

/** Ada administers with a passkey; Bob has a password, an app and no passkey, and is signed in with them. */
export async function newCodePerson(roles: readonly string[] = ['access'], settings: Settings = {}) {
  const admin = await newAdmin(settings)
  const { edge } = admin
  await prefer(admin, onlyCodes)
  const { visitor: first, passkey } = await newPerson(admin, 'Bob', roles)
  const set = await setPassword(first, passkey)
  const { reply, secret } = await addTotp(edge, first, passkey)
  if (set.status !== 200 || reply.status !== 200) throw new Error(`Bob was answered ${set.text} and ${reply.text}`)
  edge.store.raw.exec("update credentials set removed_at = 1 where user_id = (select id from users where name = 'Bob')")
  const code = (steps = 0) => codeAt(secret, edge.ports.now(), steps)
  /** Signed in with password and code, half a minute ago. */
  const signIn = async (): Promise<Visitor> => {
    edge.advance(30_000)
    const visitor = edge.visitor()
    const { status, text } = await passwordLogin(visitor, { name: 'Bob', code: code() })
    if (status !== 200) throw new Error(`login was answered ${status}: ${text}`)
    edge.advance(30_000)
    return visitor
  }
  return { edge, admin, passkey, code, signIn, visitor: await signIn() }
}

export type Typed = Readonly<Record<string, string>>

/** The page's side of an approval by what is typed. */
export async function codeBody(visitor: Visitor, request: Typed, typed: Typed) {
  const begun = await visitor.post('/v1/authorize/begin', { request })
  if (begun.status !== 200) throw new Error(`begin answered ${begun.status}: ${begun.text}`)
  return { request, ticket: begun.json.ticket as string, current: { password: goodPassword, ...typed } }
}

export async function approveByCode(visitor: Visitor, request: Typed, typed: Typed): Promise<Reply> {
  return visitor.post('/v1/authorize/finish', await codeBody(visitor, request, typed))
}

/** The authorization codes that no passkey approved. */
export const codesOf = (edge: TestEdge) => edge.rows('select hash from codes where credential_id is null')

/** A program with tokens that a code approved. */
export async function newCodeLogin(visitor: Visitor, program: Program, code: string): Promise<Tokens> {
  const asked = askOf(program.key)
  const { status, json, text } = await approveByCode(visitor, asked.parameters, { code })
  if (status !== 200) throw new Error(`the approval was answered ${status}: ${text}`)
  const reply = await program.token(program.codeForm(parametersAt(json.location).get('code') ?? '', asked))
  if (reply.status !== 200) throw new Error(`the code was answered ${reply.status}: ${reply.text}`)
  return reply.json
}

/** The same Bob, with a role that allows the device flow, and a program that has asked. */
export async function newCodeDeviceFlow() {
  const made = await newCodePerson(['access'])
  const put = await putDocuments(made.admin, [headlessRole()])
  if (put.status !== 200) throw new Error(`the role was answered ${put.status}: ${put.text}`)
  made.edge.store.raw.exec("insert into user_roles select id, 'headless' from users where name = 'Bob'")
  const program = await made.edge.program()
  return { ...made, program, codes: await askForCodes(program) }
}

export async function deviceCodeBody(visitor: Visitor, user_code: string, typed: Typed) {
  const begun = await visitor.post('/v1/device/begin', { user_code })
  if (begun.status !== 200) throw new Error(`begin answered ${begun.status}: ${begun.text}`)
  return { user_code, ticket: begun.json.ticket as string, current: { password: goodPassword, ...typed } }
}
