import { expect, test } from 'vitest'
import {
  approveDevice,
  deviceBody,
  deviceLoginsOf,
  headlessRole,
  newDeviceFlow,
  poll,
  refuseDevice,
} from '../device-flow.ts'
import { lastRefusal, type TestEdge } from '../edge.ts'
import { newPerson, putDocuments } from '../people.ts'

const off = async ({ ada }: Awaited<ReturnType<typeof newDeviceFlow>>) =>
  expect((await putDocuments(ada, [headlessRole(false)], true)).status).toBe(200)
const taken = async ({ edge }: { readonly edge: TestEdge }) =>
  void edge.store.raw.exec("delete from user_roles where role = 'headless'")

test('nobody whom no role allows it approves a code, not even an administrator; the page says what to ask for', async () => {
  const { edge, ada, program, codes } = await newDeviceFlow()
  const eve = await newPerson(ada, 'Eve')
  for (const { visitor } of [ada, eve]) {
    expect(await visitor.post('/v1/device/begin', { user_code: codes.user_code })).toMatchObject({
      status: 400,
      json: { error: 'access_denied', message: expect.stringContaining('device_flow: true') },
    })
    expect(lastRefusal(edge)).toBe('device_flow_off')
    for (const path of ['/device', `/device?user_code=${codes.user_code}`]) {
      const page = await visitor.get(path)
      expect(page.status).toBe(403)
      expect(page.text).toContain('Headless logins are off for you')
      expect(page.text).toContain('<code>device_flow: true</code>')
      expect(page.text).not.toMatch(/<(form|button|script)/)
    }
  }
  expect((await poll(program, codes)).json.error).toBe('authorization_pending')
  expect((await refuseDevice(eve, codes)).status).toBe(200)
})

test.each([
  ['allows it no more', off],
  ['was taken away', taken],
])('a tap approves nothing when the role %s since it was asked for', async (_, change) => {
  const made = await newDeviceFlow()
  const { edge, bob, program, codes } = made
  const body = await deviceBody(bob.visitor, bob.passkey, codes.user_code)
  await change(made)
  expect((await bob.visitor.post('/v1/device/finish', body)).json.error).toBe('access_denied')
  expect(lastRefusal(edge)).toBe('device_flow_off')
  expect((await poll(program, codes)).json.error).toBe('authorization_pending')
})

test.each([
  ['allows it no more', off],
  ['was taken away', taken],
])('an approved code gives no tokens when the role %s since', async (_, change) => {
  const made = await newDeviceFlow()
  const { edge, bob, program, codes } = made
  expect((await approveDevice(bob, codes)).status).toBe(200)
  await change(made)
  expect(await poll(program, codes)).toMatchObject({ status: 400, json: { error: 'access_denied' } })
  expect(lastRefusal(edge)).toBe('device_flow_off')
  expect(deviceLoginsOf(edge)).toEqual([])
})
