/** Whoever phished a password and two codes has a program's login of an administrator, perhaps, and administers nothing. */
import { expect, test } from 'vitest'
import { newCodeLogin, newCodePerson } from '../code-approvals.ts'
import { lastRefusal } from '../edge.ts'
import { askForTap, call, lockOf, newInvitation, type Person } from '../people.ts'

async function newCodeEditor() {
  const made = await newCodePerson(['access', 'editor', 'auditor'])
  const program = await made.edge.program()
  const tokens = await newCodeLogin(made.visitor, program, made.code())
  const person: Person = {
    ...{ edge: made.edge, visitor: made.visitor, passkey: made.passkey, program },
    ...{ token: tokens.access_token, refreshToken: tokens.refresh_token },
  }
  return { ...made, person }
}

const changes: readonly (readonly [method: string, path: string, body?: object])[] = [
  ['POST', '/v1/documents', { documents: [lockOf('Ada')] }],
  ['DELETE', '/v1/documents/cluster_auth_preference/cluster-auth-preference'],
  ['DELETE', '/v1/users/Ada'],
  ['DELETE', '/v1/logins/none'],
  ['POST', '/v1/keys/rotate', {}],
]

test('what wants a recent login wants one that a tap approved, and says what to do', async () => {
  const { edge, person } = await newCodeEditor()
  for (const [method, path, body] of changes) {
    const reply = await call(person, method, path, body as never)
    expect(reply, path).toMatchObject({ status: 401, json: { error: 'insufficient_user_authentication' } })
    expect(reply.headers.get('www-authenticate')).toMatch(
      /error="insufficient_user_authentication".* acr_values="phr"$/,
    )
    expect(reply.json.message).toContain('link to register')
    expect(lastRefusal(edge)).toBe('login_untapped')
  }
})

test('what wants a tap of its own is refused before anybody is asked for one, with the remedy', async () => {
  const { edge, person } = await newCodeEditor()
  const { body } = await newInvitation('Eve', ['editor'])
  const reply = await askForTap(person, body)
  expect(reply).toMatchObject({ status: 403, json: { error: 'tap_impossible' } })
  expect(reply.json.message).toContain('ask an administrator for a link')
  expect(lastRefusal(edge)).toBe('passkey_missing')
})

test('a refresh makes it no better, and what only reads is left to it', async () => {
  const { person } = await newCodeEditor()
  const { access_token } = (await person.program.refresh(person.refreshToken)).json
  const refreshed = { ...person, token: access_token }
  expect((await call(refreshed, 'POST', '/v1/keys/rotate', {})).status).toBe(401)
  for (const path of ['/v1/me', '/v1/users', '/v1/audit']) expect((await call(refreshed, 'GET', path)).status).toBe(200)
})
