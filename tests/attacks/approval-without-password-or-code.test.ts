/** A stolen browser profile in a cluster of codes: the cookie alone approves nothing, nor with a code that was seen, nor with the password. */
import { expect, test } from 'vitest'
import { approveByCode, codeBody, codesOf, newCodePerson } from '../code-approvals.ts'
import { lastRefusal } from '../edge.ts'
import { goodPassword, makeRecoveryCodes } from '../factors.ts'
import { approvalBody, askOf } from '../program.ts'

async function stolen() {
  const scene = await newCodePerson()
  const { edge, visitor } = scene
  const { parameters } = askOf((await edge.program()).key)
  const thief = visitor.copy()
  const finish = (body: object) => thief.post('/v1/authorize/finish', body as never)
  return { ...scene, thief, parameters, finish }
}

test('neither nothing, nor half of it, nor a guess for the other half', async () => {
  const { edge, thief, parameters, finish, code } = await stolen()
  const { current, ...bare } = await codeBody(thief, parameters, { code: code() })
  expect((await finish(bare)).status).toBe(403)
  expect(lastRefusal(edge)).toBe('proof_missing')
  for (const half of [{ password: goodPassword }, { code: code() }, {}])
    expect((await finish({ ...bare, current: half })).status).toBe(400)
  for (const [typed, why] of [
    [{ password: '', code: code() }, 'password_wrong'],
    [{ password: 'a guess that is long enough', code: code() }, 'password_wrong'],
    [{ code: '' }, 'code_wrong'],
  ] as const) {
    expect((await finish({ ...bare, current: { ...current, ...typed } })).status).toBe(401)
    expect(lastRefusal(edge)).toBe(why)
  }
  expect(codesOf(edge)).toEqual([])
})

test('what was wrong is not told', async () => {
  const { thief, parameters, code } = await stolen()
  const wrong = [{ password: 'wrong', code: code() }, { code: '000000' }, { password: 'wrong', code: '000000' }]
  const answers = await Promise.all(wrong.map(async (typed) => (await approveByCode(thief, parameters, typed)).json))
  expect(new Set(answers.map(({ error, message }) => `${error} ${message}`)).size).toBe(1)
})

test('a recovery code approves nothing', async () => {
  const { edge, visitor, signIn, parameters, code } = await stolen()
  const [recovery = ''] = await makeRecoveryCodes(visitor, { current: { password: goodPassword, code: code() } })
  const again = await signIn()
  expect((await approveByCode(again, parameters, { code: recovery })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('code_wrong')
  const { current, ...bare } = await codeBody(again, parameters, { code: code() })
  const smuggled = { ...bare, current: { password: goodPassword, recovery_code: recovery } }
  expect((await again.post('/v1/authorize/finish', smuggled as never)).status).toBe(400)
  expect(edge.rows('select hash from recovery_codes where used_at is not null')).toEqual([])
  expect((await again.post('/v1/authorize/finish', { ...bare, current })).status).toBe(200)
})

test('a tap of his own, or both at once, approves nothing', async () => {
  const { edge, thief, admin, parameters, finish, code } = await stolen()
  const body = await codeBody(thief, parameters, { code: code() })
  const { assertion } = await approvalBody(admin.visitor, admin.passkey, parameters)
  const { current: _, ...tapped } = { ...body, assertion }
  expect((await finish(tapped)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  expect((await finish({ ...body, assertion })).status).toBe(403)
  expect(lastRefusal(edge)).toBe('proof_missing')
})

test('without a session, nobody approves with a password and a code', async () => {
  const { edge, visitor, parameters, code } = await stolen()
  const body = await codeBody(visitor, parameters, { code: code() })
  const stranger = visitor.copy()
  stranger.cookies.delete('__Host-sallyport')
  expect(await stranger.post('/v1/authorize/finish', body)).toMatchObject({ status: 401, json: { error: 'sign_in' } })
  expect(lastRefusal(edge)).toBe('session_missing')
})

test('the approval gives the session another cookie: the stolen one is dead', async () => {
  const { visitor, thief, parameters, code } = await stolen()
  expect((await approveByCode(visitor, parameters, { code: code() })).status).toBe(200)
  expect((await thief.get('/account')).status).toBe(302)
  expect((await visitor.get('/account')).status).toBe(200)
})
