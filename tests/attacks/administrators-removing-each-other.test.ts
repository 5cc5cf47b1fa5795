import { expect, test } from 'vitest'
import { call, newAdmin, newPerson, putDocuments } from '../people.ts'
import { race } from '../race.ts'

const editors = `select name from users inner join user_roles on user_roles.user_id = users.id
  where role = 'editor' and removed_at is null`

async function two() {
  const ada = await newAdmin()
  return { ada, bob: await newPerson(ada, 'Bob', ['access', 'editor']), edge: ada.edge }
}

test('two who remove each other at once: one stays, 50 times', async () => {
  await race(50, async () => {
    const { ada, bob, edge } = await two()
    const [byAda, byBob] = await Promise.all([
      call(ada, 'DELETE', '/v1/users/Bob'),
      call(bob, 'DELETE', '/v1/users/Ada'),
    ])
    expect([byAda.status, byBob.status].filter((status) => status === 200)).toHaveLength(1)
    expect(edge.rows(editors)).toHaveLength(1)
  })
})

test('two who lock each other at once: one stays, 50 times', async () => {
  const lock = (user: string) => ({
    kind: 'lock',
    version: 'v2',
    metadata: { name: user.toLowerCase() },
    spec: { target: { user } },
  })
  await race(50, async () => {
    const { ada, bob, edge } = await two()
    await Promise.all([putDocuments(ada, [lock('Bob')]), putDocuments(bob, [lock('Ada')])])
    expect(edge.rows("select name from documents where kind = 'lock'")).toHaveLength(1)
  })
})

test('two who end up with no role of editor cannot be made: nobody removes himself', async () => {
  const { ada, bob, edge } = await two()
  for (const [person, name] of [
    [ada, 'Ada'],
    [bob, 'bob'],
  ] as const)
    expect(await call(person, 'DELETE', `/v1/users/${name}`)).toMatchObject({
      status: 409,
      json: { error: 'own_account' },
    })
  expect(edge.rows(editors)).toHaveLength(2)
})
