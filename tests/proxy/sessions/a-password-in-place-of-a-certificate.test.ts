/** A word in the password's place: where a role says so, once, within a minute, from where it was asked for. */
import { expect, test } from 'vitest'
import type { RoleDocument, RoleOptions } from '../../../core/access/role.ts'
import { makeBearers } from '../../../proxy/bearers.ts'
import { newPerson, type Person } from '../../people.ts'
import { putDocuments, readerRole, setOf } from '../../proxies.ts'
import { needs } from '../proxy.ts'
import { askForWord as wordFor } from '../words/words.ts'
import { certify, isReady, startDirect } from './certificate.ts'
import { message } from './database.ts'
import { eventsOf, grantFor, nameOf, newWorld, Tunnel, type World, type Wrong } from './world.ts'

const path = '/.well-known/sallyport/bearer'

async function bearerWorld(options: RoleOptions = {}, limits = {}): Promise<World> {
  const world = await newWorld({ tap: true, limits })
  await allow(world, options)
  return world
}

async function allow(world: World, options: RoleOptions): Promise<void> {
  const role = readerRole('db-reader', true) as RoleDocument
  const all = { ...role.spec.options, bearer_grants: true, ...options }
  await putDocuments(world.admin, { ...role, spec: { ...role.spec, options: all } })
  await world.proxy.serving.trust.ask()
}

const askForWord = async (world: World, given?: string, wrong: Wrong = {}, person: Person = world.lea) =>
  wordFor(world, given ?? (await grantFor(world, person)), wrong, person)

async function wordOf(world: World): Promise<string> {
  const { status, json } = await askForWord(world)
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(json)}`)
  return String(json['handle'])
}

/** Begins as psql does, and answers the question for a password. */
async function logIn(
  world: Pick<World, 'proxy'>,
  word: string,
  more: { name?: string; parameters?: Record<string, string> } = {},
) {
  const { name, parameters } = more
  const client = await startDirect(world.proxy, name === undefined ? {} : { name }, parameters)
  await client.until((said) => said.startsWith('R\0\0\0\x08\0\0\0\x03'))
  client.socket.write(message('p', `${word}\0`))
  return client
}

const isRefused = /^R.{8}E.*SFATAL.*C28000.*Ask for the session again/s
const refused = async (client: Awaited<ReturnType<typeof logIn>>) => expect(await client.closed).toMatch(isRefused)

test('it opens one session, and the audit log says how', async () => {
  const world = await bearerWorld()
  const word = await wordOf(world)
  const client = await logIn(world, word)
  await client.until(isReady)
  await refused(await logIn(world, word))
  client.socket.destroy()
  const started = () => eventsOf(world.edge).find(({ kind }) => kind === 'session.start')
  await expect.poll(() => String(started()?.['detail'])).toContain('bearer')
})

test('of many that show it together, one is in', async () => {
  const world = await bearerWorld()
  const word = await wordOf(world)
  const all = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const client = await logIn(world, word)
      return Promise.race([client.until(isReady).then(() => true), client.closed.then((said) => !isRefused.test(said))])
    }),
  )
  expect(all.filter(Boolean)).toHaveLength(1)
})

test('a wrong one is refused in the same words, and counted', async () => {
  const world = await bearerWorld()
  await refused(await logIn(world, 'A'.repeat(43)))
  expect(world.proxy.metrics()).toContain('message="postgres refused",code="grant_invalid"')
})

test('too late it is refused', async () => {
  const world = await bearerWorld()
  const word = await wordOf(world)
  world.edge.advance(61_000)
  await world.proxy.serving.trust.ask()
  await refused(await logIn(world, word))
})

test.for([
  ['the name of another database', { name: 'pg-2.localhost' }, isRefused],
  ['another user', { parameters: { user: 'owner', database: 'orders' } }, /granted for the user "reader"/],
] as const)('with %s it is refused, and used up', async ([, more, said]) => {
  const world = await bearerWorld()
  const word = await wordOf(world)
  expect(await (await logIn(world, word, more)).closed).toMatch(said)
  await refused(await logIn(world, word))
})

test('from another address it is refused, and used up', () => {
  const bearers = makeBearers(needs)
  const grant = { subject: { resource: { kind: 'db', name: 'pg-1' } } } as never
  const issue = () => bearers.issue({ grant, key: 'k' as never, use: '1', address: '192.0.2.1' })
  const [word, other] = [issue(), issue()]
  const showed = { place: 'password', target: 'pg-1', address: '192.0.2.1' } as const
  expect(bearers.take(word, { ...showed, address: '192.0.2.2' })?.fault).toBe('word_of_another_address')
  expect(bearers.take(word, showed)?.fault).toBe('word_used')
  expect(bearers.take(other, showed)).toMatchObject({ use: '1', fault: undefined })
})

test('there are only so many at once, until the first have expired', () => {
  let now = 0
  const bearers = makeBearers({ ...needs, now: () => now })
  const issue = () => bearers.issue({ grant: {} as never, key: 'k' as never, use: '1', address: 'a' })
  for (let i = 0; i < 1000; i++) issue()
  expect(issue).toThrow()
  now = 60_000
  expect(issue).not.toThrow()
})

test('the grant is spent for it', async () => {
  const world = await bearerWorld()
  const grant = await grantFor(world, world.lea)
  expect(await askForWord(world, grant)).toMatchObject({ status: 200 })
  expect(await askForWord(world, grant)).toMatchObject({ status: 403, json: { error: 'grant_invalid' } })
  expect(await (await Tunnel.open(world.proxy)).connect(grant, world.lea)).toMatchObject({ status: 403 })
})

test('a proof of another connection or another request is refused', async () => {
  const world = await bearerWorld()
  const other = await Tunnel.open(world.proxy)
  const invalid = { status: 403, json: { error: 'invalid_dpop_proof' } }
  expect(await askForWord(world, undefined, { nonce: other.exporter })).toMatchObject(invalid)
  const url = `sallyport://${world.proxy.identity.id}/pg-1`
  expect(await askForWord(world, undefined, { url })).toMatchObject(invalid)
})

test('a set of sessions is no word', async () => {
  const world = await bearerWorld()
  const grant = await grantFor(world, world.lea, setOf(nameOf(world.proxy), { 'pg-1': 1, 'pg-2': 1 }))
  expect(await askForWord(world, grant)).toMatchObject({ status: 403, json: { error: 'grant_invalid' } })
})

test('where no role has it there is none, and nobody is asked for a password', async () => {
  const world = await newWorld()
  expect(await askForWord(world)).toMatchObject({ status: 403, json: { error: 'access_denied' } })
  expect(await (await startDirect(world.proxy)).closed).toMatch(/^E.*sallyport db login/s)
})

test('one role that says no is enough', async () => {
  const world = await bearerWorld()
  const spec = { options: { bearer_grants: false }, allow: {}, deny: {} }
  await putDocuments(world.admin, { kind: 'role', version: 'v7', metadata: { name: 'strict' }, spec })
  const max = await newPerson(world.admin, 'Max', ['access', 'db-reader', 'strict'])
  await world.proxy.serving.trust.ask()
  const answer = await askForWord(world, await grantFor(world, max), {}, max)
  expect(answer).toMatchObject({ status: 403, json: { error: 'access_denied' } })
})

test('it is decided again when it is used', async () => {
  const world = await bearerWorld()
  const word = await wordOf(world)
  await allow(world, { bearer_grants: false })
  const other = { ...readerRole('other', true), metadata: { name: 'other' } } as RoleDocument
  const options = { bearer_grants: true }
  await putDocuments(world.admin, { ...other, spec: { ...other.spec, options } })
  await world.proxy.serving.trust.ask()
  expect(await (await logIn(world, word)).closed).toMatch(/SFATAL.*bearer_grants/s)
})

test('whoever has a certificate is not asked', async () => {
  const world = await bearerWorld()
  const client = await startDirect(world.proxy, { certified: await certify(world) })
  expect(await client.until(isReady)).not.toContain('\0\0\0\x03')
})

test.for([
  ['another message', message('Q', 'select 1\0')],
  ['one with more behind it', Buffer.concat([message('p', 'word\0'), message('Q', 'x\0')])],
  ['one without its end', message('p', 'word')],
  ['one that is too long', message('p', `${'x'.repeat(2000)}\0`)],
] as const)('in the password’s place %s is refused', async ([, bytes]) => {
  const world = await bearerWorld()
  const client = await startDirect(world.proxy)
  await client.until((said) => said.startsWith('R'))
  client.socket.write(bytes)
  await refused(client)
})

test('a password that does not come is not waited for', async () => {
  const world = await bearerWorld({}, { startupMs: 300 })
  const client = await startDirect(world.proxy)
  await client.closed
  await expect.poll(world.proxy.codes).toContain('startup_too_slow')
})

test('only POST asks for one', async () => {
  const world = await bearerWorld()
  const tunnel = await Tunnel.open(world.proxy)
  tunnel.send(`GET ${path} HTTP/1.1`, `Host: localhost:${world.proxy.port}`)
  expect(await tunnel.answer()).toMatchObject({ status: 405 })
})
