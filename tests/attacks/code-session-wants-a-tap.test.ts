/** Whoever phished a password and a code has a session that rests on them, and no tap. */
import { expect, test } from 'vitest'
import { newAccount, newAccountWithoutPasskey } from '../accounts.ts'
import { addBody, addPasskey, newVouchKey, removeBody } from '../client.ts'
import { lastRefusal, sessionsOf } from '../edge.ts'
import { addTotp, changeBody, goodPassword, passwordLogin } from '../factors.ts'
import { approve, askOf } from '../program.ts'

async function newThief() {
  const account = await newAccount()
  const thief = account.edge.visitor()
  expect((await passwordLogin(thief, { code: account.code() })).status).toBe(200)
  return { ...account, thief, own: await account.edge.authenticator() }
}

test('a session that rests on a code adds no passkey', async () => {
  const { edge, thief, own } = await newThief()
  const body = await addBody(thief, own, await edge.authenticator())
  expect((await thief.post('/v1/passkeys/finish', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_unknown')
  const { assertion: _, ...untapped } = body
  expect((await thief.post('/v1/passkeys/finish', untapped as never)).status).toBe(400)
  expect(edge.rows('select id from credentials')).toHaveLength(1)
})

test('a session that rests on a code adds no passkey for somebody who has none', async () => {
  const { edge, visitor } = await newAccountWithoutPasskey()
  const { vouch_key } = await newVouchKey()
  const begun = await visitor.post('/v1/passkeys/begin', { name: 'Mine', vouch_key })
  expect(begun).toMatchObject({ status: 403, json: { error: 'tap_impossible' } })
  expect(edge.rows('select id from credentials where removed_at is null')).toEqual([])
})

test('a session that rests on a code removes no passkey, approves no program, and changes no factor', async () => {
  const { edge, passkey, visitor, thief, own } = await newThief()
  const second = await edge.authenticator()
  expect((await addPasskey(visitor, passkey, second)).status).toBe(200)
  const removal = await removeBody(thief, own, second.credentialId)
  expect((await thief.post(`/v1/passkeys/${second.credentialId}/remove`, removal)).status).toBe(401)
  const program = await edge.program()
  expect((await approve(thief, own, askOf(program.key))).status).toBe(401)
  expect((await addTotp(edge, thief, own, 'Mine')).reply.status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_unknown')
})

test('password and code change nothing for somebody who has a passkey: that wants its tap', async () => {
  const { edge, thief, code } = await newThief()
  edge.advance(60_000)
  const before = sessionsOf(edge)
  const current = { password: goodPassword, code: code() }
  const [app] = edge.rows('select id from totps')
  const changes: [string, Record<string, string>, Record<string, string>][] = [
    ['/v1/password', { password: 'another four unrelated words' }, { password: 'another four unrelated words' }],
    ['/v1/password/remove', {}, {}],
    ['/v1/recovery-codes', {}, {}],
    [`/v1/totp/${app?.['id']}/remove`, {}, {}],
  ]
  for (const [path, ask, more] of changes) {
    const body = await changeBody(thief, path, ask, { current })
    const reply = await thief.post(path, { ...body, ...more })
    expect(reply, path).toMatchObject({ status: 403, json: { error: 'proof_required' } })
  }
  expect(sessionsOf(edge)).toBe(before)
  expect(edge.rows('select id from totps')).toHaveLength(1)
})

test('somebody without a passkey is asked for no tap that he could not give: approving a program says so', async () => {
  const { edge, visitor } = await newAccountWithoutPasskey()
  const program = await edge.program()
  const { parameters } = askOf(program.key)
  const reply = await visitor.post('/v1/authorize/begin', { request: parameters })
  expect(reply).toMatchObject({ status: 403, json: { error: 'tap_impossible' } })
})
