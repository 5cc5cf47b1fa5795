import { expect, test } from 'vitest'
import { approveDevice, deviceLoginsOf, newDeviceFlow, poll, refuseDevice } from '../device-flow.ts'
import { newPerson } from '../people.ts'

test('a refused code gives no tokens, now or later, and nobody else may approve it', async () => {
  const { edge, ada, bob, program, codes } = await newDeviceFlow()
  const eve = await newPerson(ada, 'Eve', ['headless'])
  expect((await refuseDevice(bob, codes)).status).toBe(200)
  await expect(approveDevice(eve, codes)).rejects.toThrow(/404/)
  for (let i = 0; i < 3; i++) expect((await poll(program, codes)).json.error).toBe('access_denied')
  expect(deviceLoginsOf(edge)).toEqual([])
})

test('who refused is shown so, and nobody else is shown anything', async () => {
  const { ada, bob, codes } = await newDeviceFlow()
  const eve = await newPerson(ada, 'Eve', ['headless'])
  await refuseDevice(bob, codes)
  const path = `/device?user_code=${codes.user_code}`
  expect(await bob.visitor.get(path)).toMatchObject({ status: 200, text: expect.stringContaining('Refused') })
  expect((await eve.visitor.get(path)).status).toBe(404)
})
