/** What passwords and second factors cost at the edge, in round trips to D1 and their statements. */
import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { defaultPreference } from '../../core/access/preference.ts'
import { openD1 } from '../../storage/d1.ts'
import { addTotp, bothFactors, changeBody, codeAt, makeRecoveryCodes, passwordBody, setPassword } from '../factors.ts'
import { emptied } from './emptied.ts'
import { newAdministrator, succeeds, trips } from './trips.ts'

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS))
beforeEach(() => emptied(openD1(env.DB)))

const path = '/v1/login/password/finish'

async function newAccount() {
  const { process, passkey, visitor } = await newAdministrator(true, { ...defaultPreference, ...bothFactors })
  await succeeds(setPassword(visitor, passkey))
  const { secret } = await addTotp(process, visitor, passkey)
  return { process, passkey, visitor, secret }
}

test('password login: begin 1 trip of 1 statement, whether or not anybody has the name', async () => {
  const { process } = await newAccount()
  for (const name of ['Ada', 'Eve']) {
    const visitor = process.visitor()
    const cost = await trips(() => succeeds(visitor.post('/v1/login/password/begin', { name })))
    expect(cost).toEqual({ database: [1], kv: [] })
  }
})

test('password login: finish 2 trips, one counts and reads, one opens the session', async () => {
  const { process, passkey, visitor: owner, secret } = await newAccount()
  const [recovery_code = ''] = await makeRecoveryCodes(owner, passkey)
  const factors = [
    [{ passkey }, 10],
    [{ code: codeAt(secret, Date.now(), 1) }, 9],
    [{ recovery_code }, 9],
  ] as const
  for (const [factor, statements] of factors) {
    const visitor = process.visitor()
    const body = await passwordBody(visitor, factor)
    expect(await trips(() => succeeds(visitor.post(path, body)))).toEqual({ database: [6, statements], kv: [] })
  }
})

test('password login: a failure costs the trip that counts, and 1 for the audit row, whoever it is for', async () => {
  const { process } = await newAccount()
  for (const name of ['Ada', 'Eve', 'half a character: \ud800']) {
    const visitor = process.visitor()
    const body = await passwordBody(visitor, { name, code: '000000' })
    const cost = await trips(async () => expect((await visitor.post(path, body)).status).toBe(401))
    expect(cost).toEqual({ database: [6, 1], kv: [] })
  }
})

test('a change of factors: begin 1 trip of 5 statements, finish 2 trips', async () => {
  const { passkey, visitor } = await newAccount()
  let body: Awaited<ReturnType<typeof changeBody>> | undefined
  const beginning = await trips(async () => {
    body = await changeBody(visitor, '/v1/recovery-codes', {}, passkey)
  })
  expect(beginning).toEqual({ database: [5], kv: [] })
  expect(await trips(() => succeeds(visitor.post('/v1/recovery-codes', body!)))).toEqual({ database: [5, 22], kv: [] })
  expect((await trips(() => succeeds(visitor.post('/v1/factors', {})))).database).toEqual([5])
})
