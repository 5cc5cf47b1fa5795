import { expect, test } from 'vitest'
import {
  approveDevice,
  deviceBody,
  deviceLoginsOf,
  newDeviceFlow,
  poll,
  pollForm,
  refuseDevice,
} from '../device-flow.ts'
import { signIn } from '../edge.ts'
import { race, statuses } from '../race.ts'

test('an approved code exchanged 50 times at once: one answer has tokens, there is one login, and it goes on', async () => {
  const { edge, bob, program, codes } = await newDeviceFlow()
  await approveDevice(bob, codes)
  await program.needNonce()
  const proofs = await race(50, () => program.proof('POST', '/oauth/token'))
  const replies = await race(50, (i) => program.sendToken(pollForm(codes), proofs[i]))
  expect(statuses(replies)).toEqual({ 200: 1, 400: 49 })
  for (const { status, json } of replies) if (status === 400) expect(json.error).toBe('invalid_grant')
  expect(deviceLoginsOf(edge)).toEqual([{ end_reason: null }])
  const { access_token } = replies.find(({ status }) => status === 200)?.json ?? {}
  expect((await program.call('GET', '/v1/me', access_token)).status).toBe(200)
  expect((await poll(program, codes)).json.error).toBe('invalid_grant')
})

test('a code that two browsers of one user approve at once is approved once', async () => {
  const { edge, bob, codes } = await newDeviceFlow()
  const browsers = [bob.visitor, await signIn(edge, bob.passkey), await signIn(edge, bob.passkey)]
  const bodies = await Promise.all(browsers.map((visitor) => deviceBody(visitor, bob.passkey, codes.user_code)))
  const replies = await race(3, (i) => browsers[i]?.post('/v1/device/finish', bodies[i] ?? {}) ?? Promise.reject())
  // Of a counter that two taps move at once, the smaller is refused as a copy would be.
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(
    edge.rows(
      "select seq from audit where kind = 'client.approve' and json_extract(detail, '$.via') = 'device_flow' and outcome = 'done'",
    ),
  ).toHaveLength(1)
})

test('one answer to one ticket: a tap approves once', async () => {
  const { bob, codes } = await newDeviceFlow()
  const body = await deviceBody(bob.visitor, bob.passkey, codes.user_code)
  const replies = await race(50, () => bob.visitor.post('/v1/device/finish', body))
  expect(statuses(replies)).toEqual({ 200: 1, 401: 49 })
})

test('what was answered is answered: neither yes after no, nor no after yes', async () => {
  const { edge, bob, program, codes } = await newDeviceFlow()
  const body = await deviceBody(bob.visitor, bob.passkey, codes.user_code)
  expect((await refuseDevice(bob, codes)).status).toBe(200)
  expect(await bob.visitor.post('/v1/device/finish', body)).toMatchObject({
    status: 409,
    json: { error: 'device_code_answered' },
  })
  expect((await bob.visitor.post('/v1/device/begin', { user_code: codes.user_code })).status).toBe(409)
  expect((await refuseDevice(bob, codes)).status).toBe(409)
  expect((await poll(program, codes)).json.error).toBe('access_denied')
  expect(deviceLoginsOf(edge)).toEqual([])
})
