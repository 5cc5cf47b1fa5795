/** Codes stand in for taps where the newest preference knows nothing else, and only for who has no passkey. */
import { expect, test } from 'vitest'
import {
  approveByCode,
  codeBody,
  codesOf,
  deviceCodeBody,
  newCodeDeviceFlow,
  newCodePerson,
  onlyCodes,
} from '../code-approvals.ts'
import { lastRefusal, newEdge } from '../edge.ts'
import { addTotp, codeAt, setPassword } from '../factors.ts'
import { newAdmin } from '../people.ts'
import { prefer } from '../preferences.ts'
import { approve, askOf } from '../program.ts'

const withTaps = [
  { second_factor: 'on', allow_passwords: true },
  { second_factor: 'webauthn', allow_passwords: true },
  { second_factor: 'optional', allow_passwords: true },
  { second_factors: ['webauthn', 'otp'], allow_passwords: true },
  { second_factor: 'off', allow_passwords: true },
  { second_factor: 'otp', allow_passwords: false },
]

test.each(withTaps)(
  'under %j a code that was begun before approves nothing, and another is not begun',
  async (spec) => {
    const { edge, admin, visitor, code } = await newCodePerson()
    const { parameters } = askOf((await edge.program()).key)
    const body = await codeBody(visitor, parameters, { code: code() })
    await prefer(admin, spec)
    expect(await visitor.post('/v1/authorize/finish', body)).toMatchObject({
      status: 403,
      json: { error: 'codes_off' },
    })
    const begun = await visitor.post('/v1/authorize/begin', { request: parameters })
    expect(begun).toMatchObject({ status: 403, json: { error: 'tap_impossible' } })
    expect(begun.json.message).toContain('ask an administrator for a link')
    expect(lastRefusal(edge)).toBe('passkey_missing')
    expect(codesOf(edge)).toEqual([])
  },
)

test('a process that has not heard of the new preference approves nothing by the old one', async () => {
  const { edge, admin, visitor, code } = await newCodePerson()
  const other = await newEdge({ store: edge.store })
  other.advance(edge.ports.now() - other.ports.now())
  await other.ports.preferences.newest()
  const there = other.visitor()
  for (const [name, value] of visitor.cookies) there.cookies.set(name, value)
  const body = await codeBody(there, askOf((await other.program()).key).parameters, { code: code() })
  await prefer(admin, { second_factor: 'on', allow_passwords: true })
  expect(await there.post('/v1/authorize/finish', body)).toMatchObject({ status: 403, json: { error: 'codes_off' } })
  expect(codesOf(edge)).toEqual([])
})

test('a process that has not heard of it keeps nobody out either, and a change that does not matter is one attempt', async () => {
  const { edge, admin, visitor, code } = await newCodePerson()
  await prefer(admin, { second_factor: 'on', allow_passwords: true })
  const other = await newEdge({ store: edge.store })
  other.advance(edge.ports.now() - other.ports.now())
  await other.ports.preferences.newest()
  const there = other.visitor()
  for (const [name, value] of visitor.cookies) there.cookies.set(name, value)
  await prefer(admin, onlyCodes)
  const { parameters } = askOf((await other.program()).key)
  for (let i = 0; i < 4; i++) expect((await approveByCode(there, parameters, { code: '000000' })).status).toBe(401)
  const body = await codeBody(there, parameters, { code: code() })
  await prefer(admin, { ...onlyCodes, default_session_ttl: '1h' })
  expect((await there.post('/v1/authorize/finish', body)).status).toBe(200)
})

test('who has a passkey taps: password and code approve nothing for him, also where the cluster takes codes alone', async () => {
  const admin = await newAdmin()
  const { edge, visitor, passkey } = admin
  await prefer(admin, onlyCodes)
  expect((await setPassword(visitor, passkey)).status).toBe(200)
  const { reply, secret } = await addTotp(edge, visitor, passkey)
  expect(reply.status).toBe(200)
  edge.advance(30_000)
  const asked = askOf((await edge.program()).key)
  const body = await codeBody(visitor, asked.parameters, { code: codeAt(secret, edge.ports.now()) })
  expect((await visitor.post('/v1/authorize/finish', body)).status).toBe(403)
  expect(lastRefusal(edge)).toBe('proof_missing')
  expect((await approve(visitor, passkey, asked)).status).toBe(200)
})

test('a headless login too is approved by no code once taps are taken again', async () => {
  const { edge, admin, visitor, code, codes } = await newCodeDeviceFlow()
  const body = await deviceCodeBody(visitor, codes.user_code, { code: code() })
  await prefer(admin, { second_factor: 'on', allow_passwords: true })
  expect(await visitor.post('/v1/device/finish', body)).toMatchObject({ status: 403, json: { error: 'codes_off' } })
  const begun = await visitor.post('/v1/device/begin', { user_code: codes.user_code })
  expect(begun).toMatchObject({ status: 403, json: { error: 'tap_impossible' } })
  expect(edge.rows('select hash from device_codes where authenticated_at is not null')).toEqual([])
})
