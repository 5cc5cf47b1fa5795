/** A stolen browser profile approves no program that shows a code: that wants a tap for exactly this code. */
import { expect, test } from 'vitest'
import { ceremonyCookieName, loginBody } from '../client.ts'
import { approveDevice, askForCodes, deviceBody, newDeviceFlow, poll } from '../device-flow.ts'
import { lastRefusal } from '../edge.ts'
import { newPerson } from '../people.ts'
import { approvalBody, askOf } from '../program.ts'

const finish = '/v1/device/finish'

test('he approves no program of his, whatever he taps with', async () => {
  const { edge, bob } = await newDeviceFlow()
  const thief = bob.visitor.copy()
  const program = await edge.program()
  const codes = await askForCodes(program)
  const body = await deviceBody(thief, await edge.authenticator(), codes.user_code)
  expect((await thief.post(finish, body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_unknown')
  const [{ id = '' } = {}] = edge.rows('select id from credentials order by created_at desc, rowid desc') as {
    id?: string
  }[]
  const again = await deviceBody(thief, await edge.authenticator(), codes.user_code)
  expect((await thief.post(finish, { ...again, assertion: { ...again.assertion, id } })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
  expect((await poll(program, codes)).json.error).toBe('authorization_pending')
})

test('a tap for one code approves no other', async () => {
  const { edge, bob, codes } = await newDeviceFlow()
  const program = await edge.program()
  const thieves = await askForCodes(program)
  const body = await deviceBody(bob.visitor, bob.passkey, codes.user_code)
  expect((await bob.visitor.post(finish, { ...body, user_code: thieves.user_code })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  const begun = await deviceBody(bob.visitor, await edge.authenticator(), thieves.user_code)
  expect((await bob.visitor.post(finish, { ...begun, assertion: body.assertion })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
  expect((await poll(program, thieves)).json.error).toBe('authorization_pending')
})

test('a tap for a code that was given out anew meanwhile, even to the same key, approves nothing', async () => {
  const { edge, bob, program, codes } = await newDeviceFlow()
  const body = await deviceBody(bob.visitor, bob.passkey, codes.user_code)
  const anew = await askForCodes(program)
  edge.store.raw.exec(`delete from device_codes where user_code = '${codes.user_code}'`)
  edge.store.raw.exec(`update device_codes set user_code = '${codes.user_code}'`)
  expect((await bob.visitor.post(finish, body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  expect((await poll(program, anew)).json.error).toBe('authorization_pending')
})

test('a tap of somebody else in this session approves nothing, for neither of them', async () => {
  const { edge, ada, bob, program, codes } = await newDeviceFlow()
  const eve = await newPerson(ada, 'Eve', ['headless'])
  const body = await deviceBody(bob.visitor, eve.passkey, codes.user_code)
  expect((await bob.visitor.post(finish, body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  const own = await deviceBody(eve.visitor, eve.passkey, codes.user_code)
  const mixed = bob.visitor.copy()
  const holder = eve.visitor.cookies.get(ceremonyCookieName) ?? ''
  mixed.cookies.set(ceremonyCookieName, holder)
  expect((await mixed.post(finish, own)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('session_missing')
  expect((await poll(program, codes)).json.error).toBe('authorization_pending')
})

test('a ticket of another browser, of a login, or of a program with a browser is no ticket for this', async () => {
  const { edge, bob, codes } = await newDeviceFlow()
  const body = await deviceBody(bob.visitor, bob.passkey, codes.user_code)
  const elsewhere = bob.visitor.copy()
  elsewhere.cookies.delete(ceremonyCookieName)
  expect((await elsewhere.post(finish, body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
  const login = await loginBody(bob.visitor, bob.passkey)
  expect((await bob.visitor.post(finish, { ...body, ...login })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_purpose')
  const { request: _, ...authorize } = await approvalBody(
    bob.visitor,
    bob.passkey,
    askOf((await edge.program()).key).parameters,
  )
  expect((await bob.visitor.post(finish, { ...body, ...authorize })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  expect((await bob.visitor.post(finish, { ...body, ticket: `${body.ticket}A` })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('ticket_invalid')
})

test('without a session nobody begins, approves, refuses or sees anything', async () => {
  const { edge, codes } = await newDeviceFlow()
  const stranger = edge.visitor()
  const { user_code } = codes
  for (const [path, body] of [
    ['/v1/device/begin', { user_code }],
    ['/v1/device/refuse', { user_code }],
  ] as const)
    expect(await stranger.post(path, body)).toMatchObject({ status: 401, json: { error: 'sign_in' } })
  const page = await stranger.get(`/device?user_code=${user_code}`)
  expect(page.status).toBe(302)
  expect(page.headers.get('location')).toBe(`/?next=${encodeURIComponent(`/device?user_code=${user_code}`)}`)
})

test('no other site sends these calls', async () => {
  const { bob, codes } = await newDeviceFlow()
  const { user_code } = codes
  const body = await deviceBody(bob.visitor, bob.passkey, user_code)
  for (const origin of ['https://attacker.example', 'null'])
    for (const path of ['begin', 'finish', 'refuse'])
      expect((await bob.visitor.post(`/v1/device/${path}`, body, { origin })).status).toBe(403)
  expect((await bob.visitor.post(finish, body)).status).toBe(200)
})

test('the approval gives the session another cookie: the stolen one is dead', async () => {
  const { bob, codes } = await newDeviceFlow()
  const thief = bob.visitor.copy()
  expect((await approveDevice(bob, codes)).status).toBe(200)
  expect((await thief.get('/account')).status).toBe(302)
  expect((await bob.visitor.get('/account')).status).toBe(200)
})
