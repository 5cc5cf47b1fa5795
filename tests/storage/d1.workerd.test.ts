import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { eq } from 'drizzle-orm'
import { beforeAll, expect, test } from 'vitest'
import { type D1, openD1 } from '../../storage/d1.ts'
import { storedPorts } from '../../storage/ports.ts'
import { credentials, sessions, spent } from '../../storage/schema.ts'
import { newPerson } from './contract/world.ts'
import { contract } from './contract.ts'
import { emptied } from './emptied.ts'

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS))

async function open(d1: D1) {
  const store = await emptied(openD1(d1))
  return { store, ports: storedPorts(store) }
}

contract('D1', () => open(env.DB))
contract('D1 in a session that begins at the primary', () => open(env.DB.withSession('first-primary')))

test('atomically refuses two columns of one name, each time, and writes nothing', async () => {
  const world = await open(env.DB)
  await newPerson(world)
  const { db, atomically } = world.store
  const joined = () =>
    db
      .select({ session: sessions.id, credential: credentials.id })
      .from(sessions)
      .innerJoin(credentials, eq(sessions.credentialId, credentials.id))
  for (let i = 0; i < 2; i++) {
    const batch = atomically([db.insert(spent).values({ id: 'a', expiresAt: 1 }), joined()])
    await expect(batch).rejects.toThrow('two columns share a name: id, id')
  }
  expect(await db.$count(spent)).toBe(0)
  expect(await joined()).toHaveLength(1)
})

test('the migrations are recorded under the names of their files, and are not applied twice', async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS)
  const { results } = await env.DB.prepare('select name from d1_migrations order by id').all()
  expect(results.map(({ name }) => name)).toEqual(env.MIGRATIONS.map(({ name }) => name))
})
