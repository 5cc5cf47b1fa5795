/** How a login was made, where logins are listed. */
import { expect, test } from 'vitest'
import { newDeviceLogin } from '../device-flow.ts'
import { addTotp, codeAt, makeRecoveryCodes, passwordLogin, setPassword } from '../factors.ts'
import { call, newAdmin, type Person } from '../people.ts'
import { prefer } from '../preferences.ts'

const viasOf = async (person: Person, path: string) =>
  [
    ...new Set(
      ((await call(person, 'GET', path)).json.logins as { kind: string; via: string }[]).map(
        ({ kind, via }) => `${kind} ${via}`,
      ),
    ),
  ].sort()

test('a browser’s says what was shown, a program’s how it was let in', async () => {
  const { ada, bob } = await newDeviceLogin()
  const bobs = ['browser passkey', 'program browser', 'program device_flow']
  expect(await viasOf(ada, '/v1/logins?user=bob')).toEqual(bobs)
  expect(await viasOf(bob, '/v1/me/logins')).toEqual(bobs)
})

test('with passwords: which second factor was shown, also on the account page', async () => {
  const ada = await newAdmin()
  const { edge, visitor, passkey } = ada
  await prefer(ada, { allow_passwords: true, second_factor: 'optional' })
  await setPassword(visitor, passkey)
  const { secret } = await addTotp(edge, visitor, passkey)
  const [recovery_code = ''] = await makeRecoveryCodes(visitor, passkey)
  edge.advance(30_000)
  await passwordLogin(edge.visitor(), { passkey })
  await passwordLogin(edge.visitor(), { recovery_code })
  const coded = edge.visitor()
  await passwordLogin(coded, { code: codeAt(secret, edge.ports.now()) })
  const vias = await viasOf(ada, '/v1/me/logins')
  expect(vias).toEqual([
    'browser passkey',
    'browser password+otp',
    'browser password+passkey',
    'browser password+recovery',
    'program browser',
  ])
  const { text } = await coded.get('/account')
  for (const how of ['a passkey', 'password and code', 'password and passkey', 'password and recovery code'])
    expect(text).toContain(`Signed in with ${how}<br>`)
})
