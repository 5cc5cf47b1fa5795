/** A thief of cookies who knows the password guesses codes at the pages of programs no more than at the door. */
import { expect, test } from 'vitest'
import { login } from '../client.ts'
import { approveByCode, codeBody, deviceCodeBody, newCodeDeviceFlow, newCodePerson } from '../code-approvals.ts'
import { passwordLogin } from '../factors.ts'
import { askOf } from '../program.ts'
import { race, statuses } from '../race.ts'

const locked = { status: 403, json: { error: 'password_locked' } }

test('five failures lock codes everywhere for half an hour, also the right one; passkeys of others go on', async () => {
  const { edge, admin, visitor, code } = await newCodePerson()
  const { parameters } = askOf((await edge.program()).key)
  for (let i = 0; i < 5; i++) expect((await approveByCode(visitor, parameters, { code: '000000' })).status).toBe(401)
  expect(await approveByCode(visitor, parameters, { code: code() })).toMatchObject(locked)
  expect(await passwordLogin(edge.visitor(), { name: 'Bob', code: code() })).toMatchObject(locked)
  expect((await login(edge.visitor(), admin.passkey)).status).toBe(200)
  edge.advance(29 * 60_000)
  expect(await approveByCode(visitor, parameters, { code: code() })).toMatchObject(locked)
  edge.advance(60_000)
  expect((await approveByCode(visitor, parameters, { code: code() })).status).toBe(200)
})

test('failures at the door, at a program’s page and at a headless login are counted together', async () => {
  const { edge, visitor, code, codes } = await newCodeDeviceFlow()
  const { parameters } = askOf((await edge.program()).key)
  const wrong = { code: '000000' }
  await passwordLogin(edge.visitor(), { name: 'Bob', ...wrong })
  for (let i = 0; i < 2; i++) await approveByCode(visitor, parameters, wrong)
  const guess = async (typed: { code: string }) =>
    visitor.post('/v1/device/finish', await deviceCodeBody(visitor, codes.user_code, typed))
  for (let i = 0; i < 2; i++) expect((await guess(wrong)).status).toBe(401)
  expect(await guess({ code: code() })).toMatchObject(locked)
})

test('a hundred guesses at once: five are looked at', async () => {
  const { edge, visitor } = await newCodePerson()
  const { parameters } = askOf((await edge.program()).key)
  const bodies = await race(100, (i) => codeBody(visitor.copy(), parameters, { code: String(100_000 + i) }))
  const replies = await race(100, (i) => visitor.copy().post('/v1/authorize/finish', bodies[i]!))
  expect(statuses(replies)).toEqual({ 401: 5, 403: 95 })
})

test('an approval forgets the failures before it', async () => {
  const { edge, visitor, code } = await newCodePerson()
  for (let round = 0; round < 3; round++) {
    const { parameters } = askOf((await edge.program()).key)
    for (let i = 0; i < 4; i++) await approveByCode(visitor, parameters, { code: '000000' })
    expect((await approveByCode(visitor, parameters, { code: code() })).status).toBe(200)
    edge.advance(30_000)
  }
})
