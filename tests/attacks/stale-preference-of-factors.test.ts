/** As stale-preference, of passwords and codes: what they open or change is judged by the newest preference, whatever a process has heard. */
import { expect, test } from 'vitest'
import { newEdge, sessionsOf, type TestEdge } from '../edge.ts'
import { addTotp, changeBody, codeAt, goodPassword, passwordBody, passwordLogin, setPassword } from '../factors.ts'
import { newAdmin } from '../people.ts'
import { prefer } from '../preferences.ts'

const both = { allow_passwords: true, second_factors: ['webauthn', 'otp'] }
const anotherPassword = 'four other nouns: gravel, violin, tent, plum'

const refusals = (edge: TestEdge) =>
  edge
    .rows("select code from audit where kind <> 'request' and outcome = 'refused' order by seq")
    .map(({ code }) => code)

/** Ada with a passkey, a password and an app, and another process over the same database that knows today's preference. */
async function twoProcesses() {
  const admin = await newAdmin()
  await prefer(admin, both)
  expect((await setPassword(admin.visitor, admin.passkey)).status).toBe(200)
  const { reply, secret } = await addTotp(admin.edge, admin.visitor, admin.passkey)
  expect(reply.status).toBe(200)
  const other = await newEdge({ store: admin.edge.store })
  for (const edge of [admin.edge, other]) edge.advance(30_000)
  await other.ports.preferences.newest()
  const before = refusals(other).length
  // One site: the browser has its cookies at both processes.
  const there = other.visitor()
  for (const [name, value] of admin.visitor.cookies) there.cookies.set(name, value)
  const code = () => codeAt(secret, other.ports.now())
  return { admin, other, there, passkey: admin.passkey, code, heard: () => refusals(other).slice(before) }
}

test('a password opens nothing once passwords are not taken', async () => {
  const { admin, other, passkey, heard } = await twoProcesses()
  const visitor = other.visitor()
  const body = await passwordBody(visitor, { passkey })
  await prefer(admin, { allow_passwords: false })
  const before = sessionsOf(other)
  expect(await visitor.post('/v1/login/password/finish', body)).toMatchObject({
    status: 403,
    json: { error: 'passwords_off' },
  })
  expect([sessionsOf(other), heard()]).toEqual([before, ['passwords_off']])
})

test('a code opens nothing once codes are not taken', async () => {
  const { admin, other, code, heard } = await twoProcesses()
  const visitor = other.visitor()
  const body = await passwordBody(visitor, { code: code() })
  await prefer(admin, { ...both, second_factors: ['webauthn'] })
  const before = sessionsOf(other)
  expect(await visitor.post('/v1/login/password/finish', body)).toMatchObject({
    status: 401,
    json: { error: 'refused' },
  })
  expect([sessionsOf(other), heard()]).toEqual([before, ['factor_unwanted']])
})

test('what another preference does not change goes on unseen, and is one attempt: the fifth of five', async () => {
  const { admin, other, code, heard } = await twoProcesses()
  for (let i = 0; i < 4; i++) await passwordLogin(other.visitor(), { password: anotherPassword, code: code() })
  const visitor = other.visitor()
  const body = await passwordBody(visitor, { code: code() })
  await prefer(admin, { ...both, default_session_ttl: '1h' })
  expect(await visitor.post('/v1/login/password/finish', body)).toMatchObject({ status: 200 })
  expect(heard()).toEqual(Array(4).fill('password_wrong'))
})

test('no password is set once passwords are not taken', async () => {
  const { admin, other, there, passkey, heard } = await twoProcesses()
  const stored = () => other.rows('select id, hash from passwords')
  const before = stored()
  const body = await changeBody(there, '/v1/password', { password: anotherPassword }, passkey)
  await prefer(admin, { allow_passwords: false })
  const reply = await there.post('/v1/password', { ...body, password: anotherPassword })
  expect(reply).toMatchObject({ status: 403, json: { error: 'passwords_off' } })
  expect([stored(), heard()]).toEqual([before, ['passwords_off']])
})

test('no app is added once codes are not taken', async () => {
  const { admin, other, there, passkey, heard } = await twoProcesses()
  const { uri: _, secret, ...body } = await changeBody(there, '/v1/totp', { name: 'Tablet' }, passkey)
  await prefer(admin, { ...both, second_factors: ['webauthn'] })
  const reply = await there.post('/v1/totp', { ...body, new_code: codeAt(secret, other.ports.now()) })
  expect(reply).toMatchObject({ status: 403, json: { error: 'codes_off' } })
  expect(other.rows('select name from totps')).toEqual([{ name: 'Phone' }])
  expect(heard()).toEqual(['codes_off'])
})

test('a change that another preference allows too goes on, unseen', async () => {
  const { admin, there, passkey, other, heard } = await twoProcesses()
  const body = await changeBody(there, '/v1/password', { password: anotherPassword }, passkey)
  await prefer(admin, { ...both, default_session_ttl: '1h' })
  expect((await there.post('/v1/password', { ...body, password: anotherPassword })).status).toBe(200)
  expect(heard()).toEqual([])
  expect((await passwordLogin(other.visitor(), { password: goodPassword, passkey })).status).toBe(401)
})

test('who needs no second factor any more is let in at once, whatever this process has heard', async () => {
  const { admin, other, heard } = await twoProcesses()
  const visitor = other.visitor()
  const body = await passwordBody(visitor, {})
  await prefer(admin, { allow_passwords: true, second_factor: 'off' })
  expect(await visitor.post('/v1/login/password/finish', body)).toMatchObject({ status: 200 })
  expect(heard()).toEqual([])
})

test('a second factor that is taken by now is taken, whatever this process has heard', async () => {
  const { admin, code } = await twoProcesses()
  await prefer(admin, { ...both, second_factors: ['webauthn'] })
  const late = await newEdge({ store: admin.edge.store })
  late.advance(30_000)
  await late.ports.preferences.newest()
  const visitor = late.visitor()
  const body = await passwordBody(visitor, { code: code() })
  await prefer(admin, both)
  expect(await visitor.post('/v1/login/password/finish', body)).toMatchObject({ status: 200 })
})

test('what is no last factor any more can be removed at once, whatever this process has heard', async () => {
  const { admin, other, there, passkey, heard } = await twoProcesses()
  await prefer(admin, { allow_passwords: true, passwordless: false, second_factors: ['otp'] })
  await other.ports.preferences.newest()
  const path = `/v1/totp/${other.rows('select id from totps')[0]?.['id']}/remove`
  expect(await there.post(`${path}/begin`, {})).toMatchObject({ status: 409, json: { error: 'last_factor' } })
  await prefer(admin, both)
  const removed = await there.post(path, await changeBody(there, path, {}, passkey))
  expect(removed.status).toBe(200)
  expect([other.rows('select id from totps'), heard()]).toEqual([[], ['last_factor']])
})
