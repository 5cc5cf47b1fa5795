import { expect, test } from 'vitest'
import { newAccount } from '../accounts.ts'
import { lastRefusal, sessionsOf } from '../edge.ts'
import { bothFactors, passwordLogin } from '../factors.ts'

test('a password alone opens nothing where a second factor is required', async () => {
  const { edge } = await newAccount()
  const before = sessionsOf(edge)
  expect((await passwordLogin(edge.visitor(), {})).status).toBe(401)
  expect(lastRefusal(edge)).toBe('factor_missing')
  expect(sessionsOf(edge)).toBe(before)
})

test('a password alone opens nothing of somebody who has a factor, where one is optional', async () => {
  const account = await newAccount()
  const optional = await account.under({ ...bothFactors, secondFactor: 'optional' })
  expect((await passwordLogin(optional.visitor(), {})).status).toBe(401)
  expect(lastRefusal(optional)).toBe('factor_missing')
  optional.store.raw.exec('delete from totps; update credentials set removed_at = 1')
  expect((await passwordLogin(optional.visitor(), {})).status).toBe(200)
  expect(optional.rows('select via from sessions order by rowid desc limit 1')).toEqual([{ via: 'password' }])
})

test('a factor that is not taken is none: a code where taps alone are', async () => {
  const account = await newAccount()
  const strict = await account.under({ ...bothFactors, secondFactors: ['webauthn'] })
  strict.advance(30_000)
  expect((await passwordLogin(strict.visitor(), { code: account.code() })).status).toBe(401)
  expect(lastRefusal(strict)).toBe('factor_unwanted')
})

test('a password alone is enough where second factors are off', async () => {
  const account = await newAccount()
  const off = await account.under({ ...bothFactors, secondFactor: 'off' })
  const visitor = off.visitor()
  const begun = await visitor.post('/v1/login/password/begin', { name: 'Ada' })
  expect(begun.json).toMatchObject({ factors: [], second_factor: 'off' })
  expect(begun.json.options).toBeUndefined()
  expect((await passwordLogin(visitor, {})).status).toBe(200)
})

test('a lock keeps out who has password and factor, in its own words', async () => {
  const { edge, code } = await newAccount()
  const lock = JSON.stringify({ metadata: { name: 'l' }, spec: { target: { user: 'Ada' }, message: 'Laptop stolen.' } })
  edge.store.raw
    .prepare(
      "insert into documents (kind, name, document, revision, lock_key, updated_at, updated_by) values ('lock', 'l', ?, 'r', 'user:ada', 1, 'x')",
    )
    .run(lock)
  const locked = await passwordLogin(edge.visitor(), { code: code() })
  expect(locked).toMatchObject({
    status: 403,
    json: { error: 'locked', message: expect.stringContaining('Laptop stolen.') },
  })
  const wrong = await passwordLogin(edge.visitor(), { password: 'a guess that is long enough', code: code() })
  expect(wrong).toMatchObject({ status: 401, json: { error: 'refused' } })
})
