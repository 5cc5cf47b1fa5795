import { expect, test } from 'vitest'
import { newAccount } from '../../accounts.ts'
import { bothFactors, makeRecoveryCodes, passwordBody, passwordLogin } from '../../factors.ts'

test('a password opens a session with a passkey, a code or a recovery code, and it says on which it rests', async () => {
  const { edge, passkey, visitor, code } = await newAccount()
  const [recovery_code = ''] = await makeRecoveryCodes(visitor, passkey)
  for (const factor of [{ passkey }, { code: code() }, { recovery_code }]) {
    const browser = edge.visitor()
    expect(await passwordLogin(browser, factor)).toMatchObject({ status: 200, json: { location: '/account' } })
    expect((await browser.get('/account')).status).toBe(200)
  }
  const opened = edge.rows('select via, credential_id is not null as tapped from sessions order by rowid desc limit 3')
  expect(opened).toEqual([
    { via: 'password+recovery', tapped: 0 },
    { via: 'password+otp', tapped: 0 },
    { via: 'password+passkey', tapped: 1 },
  ])
})

test('a login is written down with what it rests on, and with the tap where there was one', async () => {
  const { edge, passkey, code } = await newAccount()
  await passwordLogin(edge.visitor(), { code: code() })
  await passwordLogin(edge.visitor(), { passkey })
  const [tapped, typed] = edge.rows("select detail, evidence from audit where kind = 'login' order by seq desc limit 2")
  expect(typed).toEqual({ detail: '{"via":"password+otp"}', evidence: null })
  expect(tapped?.['detail']).toBe('{"via":"password+passkey"}')
  expect(JSON.parse(String(tapped?.['evidence'])).tap.intent.subject.kind).toBe('password')
})

test('begin tells a page what to show: the same for everybody, as the preference says', async () => {
  const account = await newAccount()
  const begin = async (preference: Parameters<typeof account.under>[0]) => {
    const edge = await account.under(preference)
    return (await edge.visitor().post('/v1/login/password/begin', { name: 'Ada' })).json
  }
  const both = await begin(bothFactors)
  expect(both).toMatchObject({ factors: ['webauthn', 'otp', 'recovery'], second_factor: 'required' })
  expect(both.options.allowCredentials.map(({ id }: { id: string }) => id)).toEqual([account.passkey.credentialId])
  const codes = await begin({ ...bothFactors, secondFactors: ['otp'], secondFactor: 'optional' })
  expect(codes).toEqual({ ticket: expect.any(String), factors: ['otp', 'recovery'], second_factor: 'optional' })
})

test('a login goes on where the page says, and never elsewhere', async () => {
  const { edge, passkey } = await newAccount()
  const visitor = edge.visitor()
  const finish = async (next: string) => {
    const body = { ...(await passwordBody(visitor, { passkey })), next }
    return (await visitor.post('/v1/login/password/finish', body as never)).json.location
  }
  expect(await finish('/approve?ticket=x')).toBe('/approve?ticket=x')
  expect(await finish('https://evil.example/')).toBe('/account')
})
