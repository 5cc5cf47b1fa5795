/** A user whom a document made has never had a link: that is not one whose link has expired. */
import { expect, test } from 'vitest'
import { call, newAdmin, putDocuments, reset, userOf } from '../people.ts'

test('new until the first link is made, reset while it works, expired behind it; on the page too', async () => {
  const admin = await newAdmin()
  const { edge } = admin
  const stateOf = async () => {
    const { users } = (await call(admin, 'GET', '/v1/users')).json as { users: { name: string; state: string }[] }
    return users.find(({ name }) => name === 'Zoe')?.state
  }
  expect((await putDocuments(admin, [userOf('Zoe', { roles: ['access'] })])).status).toBe(200)
  expect(await stateOf()).toBe('new')
  expect((await admin.visitor.get('/users')).text).toContain('No link yet')
  await reset(admin, 'Zoe')
  expect(await stateOf()).toBe('reset')
  edge.store.raw.exec('update invites set expires_at = 0')
  expect(await stateOf()).toBe('expired')
  expect((await admin.visitor.get('/users')).text).toContain('Link expired')
})
