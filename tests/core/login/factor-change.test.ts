/** Changing what one signs in with, over HTTP: what each change does, wants and refuses. */
import { describe, expect, test } from 'vitest'
import { newAccount, newAccountWithoutPasskey } from '../../accounts.ts'
import { addPasskey, login, removePasskey } from '../../client.ts'
import { lastRefusal, newAdministrator, signIn } from '../../edge.ts'
import {
  addTotp,
  bothFactors,
  changeBody,
  codeAt,
  goodPassword,
  makeRecoveryCodes,
  passwordLogin,
  setPassword,
} from '../../factors.ts'

const another = 'lanterns over a quiet canal, 1911'
const factorsOf = async (visitor: Awaited<ReturnType<typeof signIn>>) => (await visitor.post('/v1/factors', {})).json
const appsIn = async (visitor: Awaited<ReturnType<typeof signIn>>) =>
  ((await factorsOf(visitor)).totps as { id: string; name: string }[]).map(({ id }) => id)
const change = async (
  visitor: Awaited<ReturnType<typeof signIn>>,
  path: string,
  proof: Parameters<typeof changeBody>[3],
) => visitor.post(path, await changeBody(visitor, path, {}, proof))

describe('POST /v1/factors', () => {
  test('says what one has and what is taken here, and no secret', async () => {
    const { edge, passkey, visitor } = await newAccount()
    await makeRecoveryCodes(visitor, passkey)
    const { status, json, text } = await visitor.post('/v1/factors', {})
    expect(status).toBe(200)
    const at = 1_800_000_000
    expect(json).toEqual({
      ...{ passkeys: 1, security_keys: 0, password_changed_at: at, recovery_codes: 10, passwords: true },
      totps: [{ id: expect.any(String), name: 'Phone', created_at: at }],
      ...{ factors: ['webauthn', 'otp', 'recovery'], second_factor: 'required' },
    })
    expect(text).not.toMatch(/hash|sealed|\$/)
    await passwordLogin(edge.visitor(), { code: codeAt(await secretOf(edge), edge.ports.now()) })
    expect((await factorsOf(visitor)).totps).toMatchObject([{ last_used_at: at + 30 }])
    expect((await edge.visitor().post('/v1/factors', {})).status).toBe(401)
  })

  test('says that there is none, where there is none', async () => {
    const { visitor } = await newAdministrator()
    expect(await factorsOf(visitor)).toEqual({
      ...{ passkeys: 1, security_keys: 0, totps: [], recovery_codes: 0, passwords: false },
      ...{ factors: ['webauthn'], second_factor: 'required' },
    })
  })
})

/** The key of the one app, opened as a login does. */
async function secretOf({ ports, rows }: Awaited<ReturnType<typeof newAccount>>['edge']): Promise<string> {
  const [row] = rows('select id, user_id, sealed from totps')
  const about = `totp ${row?.['user_id']} ${row?.['id']}`
  const secret = await ports.keys.factors.open(about, new Uint8Array(row?.['sealed'] as Uint8Array))
  const bits = [...(secret ?? [])].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)])
    .join('')
}

describe('a password', () => {
  test('is set by a tap, in the place of the one before, whose sessions end', async () => {
    const { edge, passkey, visitor, code } = await newAccount()
    const browser = edge.visitor()
    expect((await passwordLogin(browser, { code: code() })).status).toBe(200)
    const taps = await signIn(edge, passkey)
    expect(await setPassword(visitor, passkey, another)).toMatchObject({ status: 200, json: { location: '/account' } })
    expect((await browser.get('/account')).status).toBe(302)
    expect((await taps.get('/account')).status).toBe(200)
    expect((await visitor.get('/account')).status).toBe(200)
    expect((await passwordLogin(edge.visitor(), { passkey })).status).toBe(401)
    expect((await passwordLogin(edge.visitor(), { passkey, password: another })).status).toBe(200)
  })

  test('that is weak is refused before anybody taps, and again at the end', async () => {
    const { edge, passkey, visitor } = await newAccount()
    const begun = await visitor.post('/v1/password/begin', { password: 'too short' })
    expect(begun).toMatchObject({ status: 422, json: { error: 'password_weak', message: /fewer than 12 characters/ } })
    const body = await changeBody(visitor, '/v1/password', { password: another }, passkey)
    expect((await visitor.post('/v1/password', { ...body, password: 'Ada Lovelace' })).status).toBe(422)
    // The tap was not used up: the same one sets a better password.
    expect((await visitor.post('/v1/password', { ...body, password: another })).status).toBe(200)
    expect(edge.rows('select count(*) as n from passwords')).toEqual([{ n: 1 }])
  })

  test('is not set where passwords are not taken', async () => {
    const { visitor } = await newAdministrator()
    expect((await visitor.post('/v1/password/begin', { password: another })).json.error).toBe('passwords_off')
  })

  test('is removed by a tap; its sessions end', async () => {
    const { edge, passkey, visitor, code } = await newAccount()
    const browser = edge.visitor()
    await passwordLogin(browser, { code: code() })
    expect((await change(visitor, '/v1/password/remove', passkey)).status).toBe(200)
    expect((await browser.get('/account')).status).toBe(302)
    expect((await passwordLogin(edge.visitor(), { passkey })).status).toBe(401)
    expect(lastRefusal(edge)).toBe('password_missing')
    expect((await visitor.post('/v1/password/remove/begin', {})).status).toBe(404)
  })

  test('is not removed where it is the way in', async () => {
    const { edge, visitor } = await newAccountWithoutPasskey()
    expect(await visitor.post('/v1/password/remove/begin', {})).toMatchObject({
      status: 409,
      json: { error: 'last_factor' },
    })
    expect(lastRefusal(edge)).toBe('last_factor')
  })

  test('is not removed where a passkey alone does not log in', async () => {
    const account = await newAccount()
    const strict = await account.under({ ...bothFactors, passwordless: false })
    const visitor = strict.visitor()
    expect((await passwordLogin(visitor, { passkey: account.passkey })).status).toBe(200)
    expect((await visitor.post('/v1/password/remove/begin', {})).json.error).toBe('last_factor')
  })

  test('is hashed anew at a login, when it would be hashed otherwise today', async () => {
    const { edge, passkey } = await newAccount()
    const { pbkdf2, hashingWith } = await import('../../../core/login/password-hash.ts')
    const older = hashingWith([{ ...pbkdf2, parameters: { i: 3 } }], edge.ports.random)
    edge.store.raw.prepare('update passwords set hash = ?').run(await older.hash(goodPassword))
    const hashes = () => edge.rows('select hash, id from passwords')[0] ?? {}
    const before = hashes()
    expect((await passwordLogin(edge.visitor(), { passkey, password: another })).status).toBe(401)
    expect(hashes()).toEqual(before)
    expect((await passwordLogin(edge.visitor(), { passkey })).status).toBe(200)
    expect(hashes()).toMatchObject({ hash: expect.stringMatching(/\$i=10\$/), id: before['id'] })
    const raised = hashes()
    expect((await passwordLogin(edge.visitor(), { passkey })).status).toBe(200)
    expect(hashes()).toEqual(raised)
  })
})

describe('an authenticator app', () => {
  test('is added with a code that it shows and a tap; several, each with a name', async () => {
    const { edge, passkey, visitor } = await newAccount()
    const tablet = await addTotp(edge, visitor, passkey, 'Tablet')
    expect(tablet.reply.status).toBe(200)
    const again = await visitor.post('/v1/totp/begin', { name: 'Tablet' })
    expect(again).toMatchObject({ status: 409, json: { error: 'name_taken' } })
    edge.advance(60_000)
    expect((await passwordLogin(edge.visitor(), { code: codeAt(tablet.secret, edge.ports.now()) })).status).toBe(200)
  })

  test('begins with a key for a QR code and for typing, another each time, and writes nothing', async () => {
    const { edge, visitor } = await newAccount()
    const before = edge.rows('select count(*) as n from totps')
    const begin = async () => (await visitor.post('/v1/totp/begin', { name: 'Tablet' })).json
    const [one, other] = [await begin(), await begin()]
    expect(one.uri).toMatch(new RegExp(`^otpauth://totp/access\\.example\\.com:Ada\\?.*secret=${one.secret}`))
    expect(one.secret).toMatch(/^[A-Z2-7]{32}$/)
    expect(one.secret).not.toBe(other.secret)
    expect(edge.rows('select count(*) as n from totps')).toEqual(before)
  })

  test('is not added with a wrong code, an altered key, the key of another begin, or the tap of one', async () => {
    const { edge, passkey, visitor } = await newAccount()
    const begin = () => changeBody(visitor, '/v1/totp', { name: 'Tablet' }, passkey)
    const [one, other] = [await begin(), await begin()]
    const now = edge.ports.now()
    const send = async ({ uri: _, secret: __, ...body }: typeof one, new_code: string) =>
      (await visitor.post('/v1/totp', { ...body, new_code })).status
    expect(await send(one, codeAt(one.secret, now, 9))).toBe(422)
    expect(lastRefusal(edge)).toBe('new_code_wrong')
    expect(await send({ ...one, sealed: other.sealed }, codeAt(other.secret, now))).toBe(401)
    expect(lastRefusal(edge)).toBe('wrong_subject')
    expect(await send({ ...one, sealed: `${one.sealed.slice(0, -4)}AAAA` }, codeAt(one.secret, now))).toBe(401)
    expect(await send({ ...one, assertion: other.assertion }, codeAt(one.secret, now))).toBe(401)
    expect(await send(one, codeAt(one.secret, now))).toBe(200)
  })

  test('is not added where codes are not taken, nor a ninth', async () => {
    const { visitor: strict } = await newAdministrator({ preference: { passwords: true } })
    expect((await strict.post('/v1/totp/begin', { name: 'Phone' })).json.error).toBe('codes_off')
    const { edge, visitor } = await newAccount()
    for (let i = 0; i < 7; i++)
      edge.store.raw.exec(
        `insert into totps select 'app ${i}', user_id, 'App ${i}', sealed, 0, 1, null from totps limit 1`,
      )
    expect((await visitor.post('/v1/totp/begin', { name: 'Ninth' })).json.error).toBe('too_many_factors')
  })

  test('is removed by a tap; sessions that rest on codes end', async () => {
    const { edge, passkey, visitor, code } = await newAccount()
    const browser = edge.visitor()
    await passwordLogin(browser, { code: code() })
    const [id] = await appsIn(visitor)
    expect((await change(visitor, `/v1/totp/${id}/remove`, passkey)).status).toBe(200)
    expect((await browser.get('/account')).status).toBe(302)
    expect(await appsIn(visitor)).toEqual([])
    expect((await visitor.post(`/v1/totp/${id}/remove/begin`, {})).status).toBe(404)
  })

  test('that is the last factor which is demanded is not removed; one of two is', async () => {
    const { edge, visitor, code } = await newAccountWithoutPasskey()
    const [id] = await appsIn(visitor)
    expect((await visitor.post(`/v1/totp/${id}/remove/begin`, {})).json.error).toBe('last_factor')
    const current = { password: goodPassword, code: code() }
    const { secret, reply } = await addTotp(edge, visitor, { current }, 'Tablet')
    expect(reply.status).toBe(200)
    edge.advance(60_000)
    const fresh = { password: goodPassword, code: codeAt(secret, edge.ports.now()) }
    expect((await change(visitor, `/v1/totp/${id}/remove`, { current: fresh })).status).toBe(200)
    expect(await appsIn(visitor)).toHaveLength(1)
  })
})

describe('somebody who has no passkey', () => {
  test('is asked for password and code, and his session rests on those', async () => {
    const { edge, visitor, code } = await newAccountWithoutPasskey()
    expect((await visitor.post('/v1/password/begin', { password: another })).json.options).toBeUndefined()
    const wrong = [
      [{}, 'factor_missing'],
      [{ code: '000000' }, 'code_wrong'],
      [{ recovery_code: '0000-0000-0000-0000' }, 'recovery_wrong'],
      [{ code: code(), password: another }, 'password_wrong'],
    ] as const
    for (const [given, why] of wrong) {
      expect((await setPassword(visitor, { current: { password: goodPassword, ...given } }, another)).status).toBe(401)
      expect(lastRefusal(edge)).toBe(why)
    }
    const body = await changeBody(visitor, '/v1/password', { password: another }, { current: {} as never })
    const { current: _, ...unproven } = body
    expect((await visitor.post('/v1/password', { ...unproven, password: another })).json.error).toBe('proof_required')
    const current = { password: goodPassword, code: code() }
    expect((await setPassword(visitor, { current }, another)).status).toBe(200)
    expect(edge.rows('select via from sessions order by rowid desc limit 1')).toEqual([{ via: 'password+otp' }])
    expect(edge.rows('select failures from password_attempts')).toEqual([])
    expect((await setPassword(visitor, { current: { ...current, password: another } })).status).toBe(401)
    expect(lastRefusal(edge)).toBe('code_spent')
  })

  test('who has lost the app too changes with a recovery code', async () => {
    const { edge, visitor, code } = await newAccountWithoutPasskey()
    const current = { password: goodPassword, code: code() }
    const [recovery_code = ''] = await makeRecoveryCodes(visitor, { current })
    const byPaper = { current: { password: goodPassword, recovery_code } }
    expect((await addTotp(edge, visitor, byPaper, 'New phone')).reply.status).toBe(200)
    expect((await addTotp(edge, visitor, byPaper, 'Another')).reply.status).toBe(401)
    expect(lastRefusal(edge)).toBe('recovery_wrong')
  })
})

test('a preference that was changed meanwhile holds: what was begun before is not made any more', async () => {
  const account = await newAccount()
  const { passkey, visitor } = account
  const begun = {
    '/v1/password': {
      ...(await changeBody(visitor, '/v1/password', { password: another }, passkey)),
      password: another,
    },
    '/v1/recovery-codes': await changeBody(visitor, '/v1/recovery-codes', {}, passkey),
    '/v1/totp': { ...(await changeBody(visitor, '/v1/totp', { name: 'Tablet' }, passkey)), new_code: account.code() },
  }
  const strict = await account.under({})
  strict.advance(30_000)
  const there = strict.visitor()
  for (const [name, value] of visitor.cookies) there.cookies.set(name, value)
  const said = async (path: string, body: object) => (await there.post(path, body as never)).json.error
  expect(await said('/v1/password', begun['/v1/password'])).toBe('passwords_off')
  expect(await said('/v1/recovery-codes', begun['/v1/recovery-codes'])).toBe('codes_off')
  expect(await said('/v1/recovery-codes/begin', {})).toBe('codes_off')
  expect(await said('/v1/totp', begun['/v1/totp'])).toBe('codes_off')
})

test('a password proves nothing where none is taken any more', async () => {
  const account = await newAccountWithoutPasskey()
  const current = { password: goodPassword, code: account.code() }
  const body = await changeBody(account.visitor, '/v1/recovery-codes', {}, { current })
  const there = await account.under({ ...bothFactors, passwords: false })
  there.advance(60_000)
  const visitor = there.visitor()
  for (const [name, value] of account.visitor.cookies) visitor.cookies.set(name, value)
  expect((await visitor.post('/v1/recovery-codes', body)).json.error).toBe('passwords_off')
})

test('a passkey that was just added is the one that is asked for', async () => {
  const { edge, passkey, visitor } = await newAccount()
  const second = await edge.authenticator()
  await addPasskey(visitor, passkey, second)
  expect((await removePasskey(visitor, second, passkey.credentialId)).status).toBe(200)
  expect((await setPassword(visitor, passkey, another)).status).toBe(401)
  expect((await setPassword(visitor, second, another)).status).toBe(200)
  expect((await login(edge.visitor(), second)).status).toBe(200)
})

test('each change is written down, with the tap where there was one, and without any secret', async () => {
  const { edge, passkey, visitor, secret } = await newAccount()
  const codes = await makeRecoveryCodes(visitor, passkey)
  const [id] = await appsIn(visitor)
  await change(visitor, `/v1/totp/${id}/remove`, passkey)
  await change(visitor, '/v1/password/remove', passkey)
  const rows = edge.rows("select kind, evidence from audit where outcome = 'done' and kind like '%.%' order by seq")
  const changes = rows.filter(({ kind }) => /^(password|totp|recovery)/.test(String(kind)))
  const kinds = ['password.set', 'totp.add', 'recovery.make', 'totp.remove', 'password.remove']
  expect(changes.map(({ kind }) => kind)).toEqual(kinds)
  for (const { evidence } of changes) expect(JSON.parse(String(evidence)).tap.intent.purpose).toMatch(/register|admin/)
  for (const one of [goodPassword, secret, ...codes]) expect(JSON.stringify(rows)).not.toContain(one)
})
