import { expect, test } from 'vitest'
import { minutes, seconds } from '../../core/model.ts'
import { approveDevice, deviceBody, deviceLoginsOf, newDeviceFlow, poll, refuseDevice } from '../device-flow.ts'

const life = minutes(10)

test('a code lives ten minutes, whether anybody has answered it or not', async () => {
  for (const answered of [false, true]) {
    const { edge, bob, program, codes } = await newDeviceFlow()
    if (answered) expect((await approveDevice(bob, codes)).status).toBe(200)
    edge.advance(life)
    expect(await poll(program, codes)).toMatchObject({ status: 400, json: { error: 'expired_token' } })
    expect(deviceLoginsOf(edge)).toEqual([])
  }
})

test('an answer in the last second counts, and is still to be fetched within the ten minutes', async () => {
  const { edge, bob, program, codes } = await newDeviceFlow()
  edge.advance(life - seconds(1))
  expect((await approveDevice(bob, codes)).status).toBe(200)
  expect((await poll(program, codes)).status).toBe(200)
})

test('who comes later finds no such code, and a tap that was begun before approves nothing', async () => {
  const { edge, bob, codes } = await newDeviceFlow()
  edge.advance(life - seconds(30))
  const body = await deviceBody(bob.visitor, bob.passkey, codes.user_code)
  edge.advance(seconds(30))
  for (const reply of [
    await bob.visitor.post('/v1/device/finish', body),
    await bob.visitor.post('/v1/device/begin', { user_code: codes.user_code }),
    await refuseDevice(bob, codes),
  ])
    expect(reply).toMatchObject({ status: 404, json: { error: 'user_code_unknown' } })
  const page = await bob.visitor.get(`/device?user_code=${codes.user_code}`)
  expect(page.status).toBe(404)
  expect(page.text).not.toContain('id="approve"')
})
