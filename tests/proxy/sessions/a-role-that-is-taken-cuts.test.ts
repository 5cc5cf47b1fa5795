/** What a user document takes from somebody, a role or what a template of one stands for, he has no longer at any proxy. */
import { expect, test } from 'vitest'
import type { Document } from '../../../core/access/document.ts'
import { userDocument } from '../../../core/access/user.ts'
import { askFor, beginSession, putDocuments } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { message } from './database.ts'
import { eventsOf, nameOf, newWorld, openSession, type World } from './world.ts'

const own = ['access', 'db-reader']

/** Reaches the same as its holder's traits say. */
const templated: Document = {
  kind: 'role',
  version: 'v7',
  metadata: { name: 'templated' },
  spec: {
    options: {},
    allow: { db_labels: { env: ['dev'] }, db_users: ['{{internal.db_users}}'], db_names: ['{{external.databases}}'] },
    deny: {},
  },
}
const traits = { db_users: ['reader'], databases: ['orders'] }

const write = ({ admin }: World, roles: readonly string[], held: Record<string, readonly string[]> = {}) =>
  putDocuments(admin, userDocument('Lea', { roles, traits: held }))

/** `status`: of the next session that he asks for. */
async function isCut(world: World, status: number, by: () => Promise<void>) {
  const tunnel = await openSession(world)
  tunnel.socket.write(message('Q', 'it is open\0'))
  await tunnel.until((said) => said.includes('it is open'))
  await by()
  expect(await tunnel.until((said) => said.includes('57P01'))).toContain('57P01')
  await tunnel.closed
  await until(() => eventsOf(world.edge).length === 2)
  const { program, token } = world.lea
  expect((await beginSession(program, token, askFor(nameOf(world.proxy)))).status).toBe(status)
}

test('a role that is taken cuts the session that it allowed, and its user gets no other', async () => {
  const world = await newWorld({ tap: false })
  await isCut(world, 404, () => write(world, ['access']))
})

test('so does a trait that is taken, or that says something else', async () => {
  for (const less of [{ databases: ['orders'] }, { ...traits, db_users: ['writer', '*', 'read.*'] }]) {
    const world = await newWorld({ tap: false })
    await putDocuments(world.admin, templated, userDocument('Lea', { roles: ['access', 'templated'], traits }))
    await isCut(world, 403, () => write(world, ['access', 'templated'], less))
  }
})

test('what is left as it is goes on, and what is given opens at once', async () => {
  const world = await newWorld({ tap: false })
  const tunnel = await openSession(world)
  await write(world, [...own, 'auditor'], { logins: ['lea'] })
  await new Promise((next) => setTimeout(next, 500))
  tunnel.socket.write(message('Q', 'still here\0'))
  await tunnel.until((said) => said.includes('still here'))
  await putDocuments(world.admin, templated, userDocument('Lea', { roles: ['access', 'templated'], traits }))
  await openSession(world)
})
