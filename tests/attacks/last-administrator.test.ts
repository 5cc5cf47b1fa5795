import { expect, test } from 'vitest'
import { addPasskey, login, removePasskey } from '../client.ts'
import { lastRefusal, type TestEdge } from '../edge.ts'
import {
  call,
  newAdmin,
  newPerson,
  newReset,
  type Person,
  recentIsEnough,
  recover,
  resetWith,
  tapFor,
} from '../people.ts'
import { race } from '../race.ts'

const vouching = (edge: TestEdge) =>
  edge.rows('select user_id from credentials where may_vouch = 1 and removed_at is null')

const resetBy = async (by: Person, name: string) => {
  const { body } = await newReset(name)
  const tap = await tapFor(by, body, by, 'userReset')
  return () => resetWith(by, body, tap)
}

test('two administrators who reset each other at once: one stays, 20 times', async () => {
  await race(20, async () => {
    const ada = await newAdmin()
    const grace = await recover(ada.edge, 'Grace')
    const [byAda, byGrace] = [await resetBy(ada, 'Grace'), await resetBy(grace, 'Ada')]
    const replies = await Promise.all([byAda(), byGrace()])
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 401])
    expect(vouching(ada.edge)).toHaveLength(1)
  })
})

test('one resets the other, who removes him at the same time: one stays, 20 times', async () => {
  await race(20, async () => {
    const ada = await newAdmin()
    const grace = await recover(ada.edge, 'Grace')
    const byAda = await resetBy(ada, 'Grace')
    const replies = await Promise.all([byAda(), call(grace, 'DELETE', '/v1/users/Ada')])
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(vouching(ada.edge)).toHaveLength(1)
  })
})

test('an editor whose passkey may not vouch removes nobody who is the last that may', async () => {
  const ada = await newAdmin(recentIsEnough)
  const bob = await newPerson(ada, 'Bob', ['editor'])
  expect(await call(bob, 'DELETE', '/v1/users/Ada')).toMatchObject({ status: 409, json: { error: 'last_vouching' } })
  expect(lastRefusal(ada.edge)).toBe('last_vouching')
  await recover(ada.edge, 'Grace')
  expect((await call(bob, 'DELETE', '/v1/users/Ada')).status).toBe(200)
  expect(vouching(ada.edge)).toHaveLength(1)
})

test('two passkeys of the last administrator that remove each other at once: one stays, 20 times', async () => {
  await race(20, async () => {
    const { edge, visitor, passkey } = await newAdmin()
    const second = await edge.authenticator()
    await addPasskey(visitor, passkey, second)
    const other = edge.visitor()
    await login(other, second)
    await Promise.all([
      removePasskey(visitor, passkey, second.credentialId),
      removePasskey(other, second, passkey.credentialId),
    ])
    expect(vouching(edge)).toHaveLength(1)
  })
})
