import { expect, test, vi } from 'vitest'
import { defaultPreference } from '../../core/access/preference.ts'
import { newAccount } from '../accounts.ts'
import { intentIn, type Reply, type Visitor } from '../client.ts'
import { lastRefusal, newEdge } from '../edge.ts'
import { bothFactors, goodPassword, passwordBody, passwordLogin } from '../factors.ts'
import { countingPasswords } from '../passwords.ts'

const wrong = 'a guess that is long enough'
const told = ({ status, json }: Reply) => ({ status, error: json.error, message: json.message })

/** Ada has everything, Grace nothing, and nobody is called Eve. */
async function newCluster() {
  const passwords = countingPasswords()
  const account = await newAccount({ passwords })
  account.edge.store.raw.exec(
    "insert into users (id, name, name_key, created_at) values ('grace', 'Grace', 'grace', 1)",
  )
  return { ...account, passwords, stranger: await account.edge.authenticator() }
}

const begin = (visitor: Visitor, name: string) => visitor.post('/v1/login/password/begin', { name })
interface Options {
  readonly allowCredentials: readonly { readonly id: string }[]
}
const passkeysIn = ({ json }: Reply) => (json.options as Options).allowCredentials
const shapeOf = (reply: Reply) => ({
  members: Object.keys(reply.json).sort(),
  factors: reply.json.factors,
  second_factor: reply.json.second_factor,
  options: Object.keys(reply.json.options).sort(),
  passkeys: passkeysIn(reply).map((one) => Object.keys(one).sort())[0],
})

test('begin answers for a name that nobody has as for one that somebody has, and the same each time', async () => {
  const { edge } = await newCluster()
  const [known, unknown] = [await begin(edge.visitor(), 'Ada'), await begin(edge.visitor(), 'Eve')]
  expect(shapeOf(unknown)).toEqual(shapeOf(known))
  const ids = (reply: Reply) => passkeysIn(reply).map(({ id }) => id)
  expect(ids(await begin(edge.visitor(), 'eve'))).toEqual(ids(unknown))
  edge.advance(24 * 3_600_000)
  expect(ids(await begin(edge.visitor(), 'Eve'))).toEqual(ids(unknown))
  expect(ids(await begin(edge.visitor(), 'Mallory'))).not.toEqual(ids(unknown))
})

test('begin makes up passkeys for somebody who has none', async () => {
  const { edge } = await newCluster()
  expect(passkeysIn(await begin(edge.visitor(), 'Grace')).length).toBeGreaterThan(0)
})

test('begin makes up passkeys for somebody whose own are of a relying party that is not taken any more', async () => {
  const { edge, under } = await newCluster()
  const moved = await under({ ...bothFactors, rpId: 'example.com' })
  const [known, unknown] = [await begin(moved.visitor(), 'Ada'), await begin(moved.visitor(), 'Eve')]
  expect(shapeOf(known)).toEqual(shapeOf(unknown))
  const real = edge.rows('select id from credentials').map(({ id }) => id)
  for (const { id } of passkeysIn(known)) expect(real).not.toContain(id)
})

test('the relying party of an answer does not tell who has a passkey of before: names that nobody has get it too', async () => {
  const { under } = await newCluster()
  const moved = await under({ ...bothFactors, rpId: 'example.com', formerRpIds: ['access.example.com'] })
  const rpIdFor = async (name: string) => (await begin(moved.visitor(), name)).json.options.rpId
  expect(await rpIdFor('Ada')).toBe('access.example.com')
  const made = await Promise.all(Array.from({ length: 30 }, (_, i) => rpIdFor(`Nobody ${i}`)))
  expect(new Set(made)).toEqual(new Set(['example.com', 'access.example.com']))
})

test('a ticket says of a name no more than whoever typed it knows', async () => {
  const { edge } = await newCluster()
  const intents = await Promise.all(
    ['Ada', 'Eve'].map(async (name) => intentIn((await begin(edge.visitor(), name)).json.ticket)),
  )
  for (const intent of intents) {
    expect(Object.keys(intent).sort()).toEqual(['cluster', 'exp', 'holder', 'iat', 'id', 'purpose', 'subject', 'v'])
    expect(JSON.stringify(intent)).not.toMatch(/Ada|ada|Eve|eve/)
  }
})

test('every failure has one answer, whether the name, the password or the factor is wrong', async () => {
  const { edge, passkey, stranger, code } = await newCluster()
  const attempts = [
    { name: 'Eve', code: '123456' },
    { name: 'Grace', code: '123456' },
    { password: wrong, code: code() },
    { password: wrong, passkey },
    { code: '000000' },
    { passkey: stranger },
    {},
    { name: 'Eve', passkey: stranger },
    { name: 'Eve', recovery_code: '0000-0000-0000-0000' },
    { name: 'Eve' },
    { name: 'Eve \ud800', code: 'x' },
    { recovery_code: 'x' },
  ]
  const answers: unknown[] = []
  for (const attempt of attempts) {
    answers.push(told(await passwordLogin(edge.visitor(), attempt)))
    edge.store.raw.exec('delete from password_attempts')
  }
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(answers[0]).toMatchObject({ status: 401, error: 'refused' })
})

test('the operator hears what it was', async () => {
  const { edge, code } = await newCluster()
  const whys = [
    [{ name: 'Eve', code: '123456' }, 'name_unknown'],
    [{ name: 'Grace', code: '123456' }, 'password_missing'],
    [{ password: wrong, code: code() }, 'password_wrong'],
    [{ code: '000000' }, 'code_wrong'],
  ] as const
  for (const [attempt, why] of whys) {
    await passwordLogin(edge.visitor(), attempt)
    expect(lastRefusal(edge)).toBe(why)
  }
})

test('the lock has one answer too: a name that nobody has is locked alike', async () => {
  const { edge } = await newCluster()
  const answers: unknown[] = []
  for (const name of ['Ada', 'Eve']) {
    const replies: Reply[] = []
    for (let i = 0; i < 6; i++) replies.push(await passwordLogin(edge.visitor(), { name, password: wrong }))
    answers.push(replies.map(told))
  }
  expect(answers[1]).toEqual(answers[0])
  expect((answers[0] as { status: number }[]).map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 403])
})

test('every failure costs one hash of the same kind, and one signature check where a passkey answered', async () => {
  const { edge, passkey, stranger, passwords } = await newCluster()
  const verify = vi.spyOn(crypto.subtle, 'verify')
  const imported = vi.spyOn(crypto.subtle, 'importKey')
  const costs: unknown[] = []
  const signed = [
    { name: 'Ada', password: wrong, passkey },
    { name: 'Ada', password: goodPassword, passkey: stranger },
    { name: 'Eve', password: wrong, passkey: stranger },
    { name: 'Eve', password: wrong, passkey },
  ]
  for (const attempt of signed) {
    const visitor = edge.visitor()
    const body = await passwordBody(visitor, attempt)
    for (const spy of [verify, imported]) spy.mockClear()
    passwords.derived.length = 0
    expect((await visitor.post('/v1/login/password/finish', body)).status).toBe(401)
    costs.push({
      hashes: [...passwords.derived],
      signatures: verify.mock.calls.length,
      keys: imported.mock.calls.length,
    })
    edge.store.raw.exec('delete from password_attempts')
  }
  vi.restoreAllMocks()
  expect(costs[0]).toMatchObject({ hashes: [expect.any(String)], signatures: 1 })
  for (const cost of costs) expect(cost).toEqual(costs[0])
})

test('a code costs one opening of a seal, whether or not there is an app', async () => {
  const { edge, passwords } = await newCluster()
  const decrypt = vi.spyOn(crypto.subtle, 'decrypt')
  const costs: unknown[] = []
  for (const name of ['Ada', 'Eve']) {
    const visitor = edge.visitor()
    const body = await passwordBody(visitor, { name, password: wrong, code: '000000' })
    decrypt.mockClear()
    passwords.derived.length = 0
    await visitor.post('/v1/login/password/finish', body)
    costs.push([passwords.derived.length, decrypt.mock.calls.length])
  }
  vi.restoreAllMocks()
  expect(costs).toEqual([
    [1, 1],
    [1, 1],
  ])
})

test('a password that this runtime cannot verify is one of the failures; the operator hears what it is', async () => {
  const { edge, passwords, code } = await newCluster()
  edge.store.raw.exec("update passwords set hash = '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA'")
  const wrongName = told(await passwordLogin(edge.visitor(), { name: 'Eve', code: '000000' }))
  passwords.derived.length = 0
  expect(told(await passwordLogin(edge.visitor(), { code: code() }))).toEqual(wrongName)
  expect(passwords.derived).toHaveLength(1)
  expect(lastRefusal(edge)).toBe('password_unreadable')
  const [row] = edge.rows('select detail, user_id from audit order by seq desc limit 1')
  expect(row).toMatchObject({ detail: '{"algorithm":"argon2i"}', user_id: expect.any(String) })
})

test('where passwords are not taken, everybody hears so, before anything is read', async () => {
  const edge = await newEdge({ preference: { ...bothFactors, passwords: defaultPreference.passwords } })
  for (const name of ['Ada', 'Eve'])
    expect(await begin(edge.visitor(), name)).toMatchObject({ status: 403, json: { error: 'passwords_off' } })
  const local = await newEdge({ preference: { ...bothFactors, allowLocalAuth: false } })
  expect((await begin(local.visitor(), 'Ada')).json.error).toBe('passwords_off')
  const finish = { ticket: 'x', name: 'Ada', password: wrong }
  expect((await edge.visitor().post('/v1/login/password/finish', finish)).json.error).toBe('passwords_off')
})
