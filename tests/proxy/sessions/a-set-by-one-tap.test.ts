/** Several sessions by one tap: each opens as often as the tap says, within the grant's minute, and nothing else. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import type { RoleDocument } from '../../../core/access/role.ts'
import type { SessionSetSubject, Subjects } from '../../../core/intent.ts'
import { type Grant, issueGrant } from '../../../core/issue/grant.ts'
import { base64url } from '../../../core/lib/bytes.ts'
import {
  type ClientSessionId,
  type CredentialId,
  type Holder,
  hours,
  seconds,
  type UserId,
} from '../../../core/model.ts'
import type { Tap } from '../../../core/tap/verify.ts'
import { newPerson, type Person } from '../../people.ts'
import { newProofKey } from '../../program.ts'
import { newBoot, pgDocument, putDocuments, readerRole, setOf } from '../../proxies.ts'
import { race, statuses } from '../../race.ts'
import { until } from '../proxy.ts'
import { eventsOf, grantFor, nameOf, newWorld, Tunnel, type World } from './world.ts'

const openOn = async ({ proxy }: World, person: Person, grant: string, name: string) =>
  (await Tunnel.open(proxy)).connect(grant, person, { name })

const counts = { 'pg-1': 3, 'pg-2': 1 }

test('each opens as often as it says, and then no more', async () => {
  const world = await newWorld()
  const { lea, proxy, edge } = world
  const grant = await grantFor(world, lea, setOf(nameOf(proxy), counts))
  const tried = ['pg-1', 'pg-2', 'pg-2', 'pg-1', 'pg-1', 'pg-1']
  const answers: number[] = []
  for (const name of tried) answers.push((await openOn(world, lea, grant, name)).status)
  expect(answers).toEqual([200, 200, 403, 200, 200, 403])
  expect(proxy.codes().filter((code) => code === 'grant_spent')).toHaveLength(2)
  await until(() => eventsOf(edge).filter(({ kind }) => kind === 'session.start').length === 4)
  const uses = eventsOf(edge)
    .filter(({ kind }) => kind === 'session.start')
    .map(({ detail }) => JSON.parse(String(detail)))
    .map(({ resource, said }) => [resource, JSON.parse(said)['use']])
  expect(uses.sort()).toEqual([
    ['pg-1', 1],
    ['pg-1', 2],
    ['pg-1', 3],
    ['pg-2', undefined],
  ])
})

test('of 50 openings at once of one with the count 3, three open', async () => {
  const world = await newWorld()
  const { lea, proxy, database } = world
  const grant = await grantFor(world, lea, setOf(nameOf(proxy), counts))
  const tunnels = await race(50, () => Tunnel.open(proxy))
  const answers = await race(50, async (at) => (tunnels[at] as Tunnel).connect(grant, lea, { name: 'pg-1' }))
  expect(statuses(answers)).toEqual({ 200: 3, 403: 47 })
  expect(database.connections).toHaveLength(3)
  expect((await openOn(world, lea, grant, 'pg-2')).status).toBe(200)
})

test('what is not in it opens nothing, and uses nothing up', async () => {
  const world = await newWorld()
  const { admin, lea, proxy } = world
  await putDocuments(admin, pgDocument('pg-3', { uri: world.database.uri }))
  await proxy.serving.trust.ask()
  const grant = await grantFor(world, lea, setOf(nameOf(proxy), counts))
  expect(await openOn(world, lea, grant, 'pg-3')).toMatchObject({ status: 403, json: { error: 'grant_invalid' } })
  expect((await openOn(world, lea, grant, 'pg-2')).status).toBe(200)
})

test('after a minute and the skew of clocks what is left of it has expired', async () => {
  const world = await newWorld()
  const { edge, lea, proxy } = world
  const grant = await grantFor(world, lea, setOf(nameOf(proxy), counts))
  expect((await openOn(world, lea, grant, 'pg-1')).status).toBe(200)
  edge.advance(seconds(91))
  await proxy.serving.trust.ask()
  expect(await openOn(world, lea, grant, 'pg-1')).toMatchObject({ status: 403, json: { error: 'grant_invalid' } })
})

test('of a process before it opens nothing in the next one', async () => {
  const world = await newWorld()
  const { lea, proxy } = world
  const grant = await grantFor(world, lea, setOf(nameOf(proxy), counts))
  await proxy.stop()
  const next = await world.restart()
  expect((await (await Tunnel.open(next)).connect(grant, lea)).status).toBe(403)
})

test('a proof by another key is refused, and uses nothing up', async () => {
  const world = await newWorld()
  const { lea, proxy } = world
  const grant = await grantFor(world, lea, setOf(nameOf(proxy), { 'pg-1': 1 }))
  const thief = await newProofKey()
  expect((await (await Tunnel.open(proxy)).connect(grant, lea, { key: thief })).status).toBe(403)
  expect((await openOn(world, lea, grant, 'pg-1')).status).toBe(200)
})

test('the longest set passes as one line of a head', async () => {
  const world = await newWorld()
  const { admin, lea, proxy, database } = world
  const names = Array.from({ length: 32 }, (_, at) => `pg-${10 + at}`)
  await putDocuments(admin, ...names.map((name) => pgDocument(name, { uri: database.uri })))
  await proxy.serving.trust.ask()
  const grant = await grantFor(world, lea, setOf(nameOf(proxy), Object.fromEntries(names.map((name) => [name, 16]))))
  for (const name of ['pg-10', 'pg-41']) expect((await openOn(world, lea, grant, name)).status).toBe(200)
})

test('what limits a session limits each of them: a lock on one cuts that one, and keeps the other open', async () => {
  const world = await newWorld()
  const { admin, lea, proxy } = world
  const role = readerRole() as RoleDocument
  const options = { ...role.spec.options, max_sessions: 2 }
  await putDocuments(admin, { ...role, spec: { ...role.spec, options } })
  await proxy.serving.trust.ask()
  const grant = await grantFor(world, lea, setOf(nameOf(proxy), { 'pg-1': 4, 'pg-2': 1 }))
  const tunnels = [await Tunnel.open(proxy), await Tunnel.open(proxy), await Tunnel.open(proxy)] as const
  for (const [at, name] of ['pg-1', 'pg-1', 'pg-2'].entries())
    expect((await (tunnels[at] as Tunnel).connect(grant, lea, { name })).status).toBe(200)
  const third = await openOn(world, lea, grant, 'pg-1')
  expect(third).toMatchObject({ status: 403, json: { message: expect.stringContaining('max_sessions') } })
  const target = { db: 'pg-1' }
  await putDocuments(admin, {
    kind: 'lock',
    version: 'v2',
    metadata: { name: 'l' },
    spec: { target, message: 'Broken.' },
  } as never)
  await Promise.all([tunnels[0].closed, tunnels[1].closed])
  expect((await openOn(world, lea, grant, 'pg-1')).json['message']).toContain('Broken.')
  expect(tunnels[2].socket.destroyed).toBe(false)
})

/** What a thief of the edge's signing key can make around the tap that he has. */
async function forge({ edge }: World, person: Person, subject: Subjects['session'], tap?: Tap) {
  const id = tap?.intent.id ?? base64url(crypto.getRandomValues(new Uint8Array(16)))
  const { sub: user, sid } = decodeJwt(person.token)
  const login = {
    id: sid as ClientSessionId,
    factor: person.passkey.credentialId as CredentialId,
    expiresAt: edge.ports.now() + hours(12),
  }
  const clientKey = person.program.key.jkt as Holder
  const grant: Grant<Subjects['session']> = { id, user: user as UserId, login, clientKey, subject, tap }
  return issueGrant(edge.site.origin, await edge.ports.keyring.current(), grant, edge.ports.now())
}

const tapIn = (grant: string) => decodeJwt(grant)['tap'] as Tap
type Change = (subject: SessionSetSubject) => Subjects['session']
const inFirst =
  (change: object): Change =>
  (subject) => ({
    ...subject,
    sessions: subject.sessions.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
  })

test('the forgery of the very set opens: the other refusals here are for what is changed', async () => {
  const world = await newWorld()
  const tap = tapIn(await grantFor(world, world.lea, setOf(nameOf(world.proxy), counts)))
  const grant = await forge(world, world.lea, tap.intent.subject as SessionSetSubject, tap)
  expect((await openOn(world, world.lea, grant, 'pg-1')).status).toBe(200)
  // Signed once more it is the same tap, and counts on.
  for (const status of [200, 200, 403]) {
    const again = await forge(world, world.lea, tap.intent.subject as SessionSetSubject, tap)
    expect((await openOn(world, world.lea, again, 'pg-1')).status).toBe(status)
  }
})

test.for<[string, Change]>([
  ['more often', inFirst({ count: 4 })],
  ['another principal', inFirst({ principal: { db_user: 'owner', db_name: 'orders' } })],
  ['another resource in its place', inFirst({ resource: { kind: 'db', name: 'pg-3' } })],
  [
    'one resource more',
    ({ sessions, ...more }) => ({
      ...more,
      sessions: [...sessions, { ...sessions[0]!, resource: { kind: 'db', name: 'pg-3' } }],
    }),
  ],
  ['one resource less', ({ sessions, ...more }) => ({ ...more, sessions: sessions.slice(0, 1) })],
  ['another order', ({ sessions, ...more }) => ({ ...more, sessions: [...sessions].reverse() })],
  [
    'one session of it alone',
    ({ sessions, ...more }) => ({ ...more, resource: sessions[0]!.resource, principal: sessions[0]!.principal }),
  ],
  ['another address', (subject) => ({ ...subject, address: '192.0.2.99' })],
])('a tap for a set opens nothing of a grant that says %s', async ([, change]) => {
  const world = await newWorld()
  const { admin, lea, proxy, database } = world
  // All of it is hers to have: what is wrong is that she approved something else.
  const role = readerRole() as RoleDocument
  const allow = { ...role.spec.allow, db_users: ['reader', 'owner'] }
  await putDocuments(admin, { ...role, spec: { ...role.spec, allow } }, pgDocument('pg-3', { uri: database.uri }))
  await proxy.serving.trust.ask()
  const tap = tapIn(await grantFor(world, lea, setOf(nameOf(proxy), counts)))
  const subject = change(tap.intent.subject as SessionSetSubject)
  const name = 'sessions' in subject ? subject.sessions[0]!.resource.name : subject.resource.name
  const grant = await forge(world, lea, subject, tap)
  expect((await openOn(world, lea, grant, name)).status).toBe(403)
  await expect.poll(proxy.codes).toContain('wrong_subject')
  expect(database.connections).toHaveLength(0)
})

test('a tap for another process, for another key, or of somebody else opens nothing', async () => {
  const world = await newWorld()
  const { admin, lea, proxy, database } = world
  const bob = await newPerson(admin, 'Bob', ['access', 'db-reader'])
  await proxy.serving.trust.ask()
  const here = nameOf(proxy)
  const elsewhere = tapIn(await grantFor(world, lea, setOf({ ...here, boot: newBoot() }, counts)))
  const others = tapIn(await grantFor(world, bob, setOf(here, counts)))
  const { subject } = others.intent as { subject: SessionSetSubject }
  const own = { ...subject, client_key: lea.program.key.jkt }
  for (const tap of [elsewhere, others]) {
    expect((await openOn(world, lea, await forge(world, lea, own, tap), 'pg-1')).status).toBe(403)
  }
  expect(database.connections).toHaveLength(0)
})

test('a tap for one session opens no set, and a set without a tap nothing that wants one', async () => {
  const world = await newWorld()
  const { lea, proxy } = world
  const single = tapIn(await grantFor(world, lea))
  const {
    client_key,
    address,
    proxy: at,
  } = single.intent.subject as { client_key: string; address: string; proxy: { id: string; boot: string } }
  const set = { ...setOf(nameOf(proxy), counts), client_key, address, proxy: at }
  expect((await openOn(world, lea, await forge(world, lea, set, single), 'pg-1')).status).toBe(403)
  await expect.poll(proxy.codes).toContain('wrong_subject')
  expect(await openOn(world, lea, await forge(world, lea, set), 'pg-2')).toMatchObject({
    json: { error: 'tap_required' },
  })
})

test.for<[string, (set: SessionSetSubject) => object]>([
  ['no list', (set) => ({ ...set, sessions: 'pg-1' })],
  ['an empty list', (set) => ({ ...set, sessions: [] })],
  ['a resource twice', (set) => ({ ...set, sessions: [...set.sessions, ...set.sessions] })],
  ['a count that is no number', inFirst({ count: '1' })],
  ['half a time', inFirst({ count: 0.5 })],
  ['17 times', inFirst({ count: 17 })],
  ['no name', inFirst({ resource: { kind: 'db' } })],
])('a set with %s is none, whoever signed it', async ([, change]) => {
  const world = await newWorld({ tap: false })
  const { lea, proxy } = world
  const set = { ...setOf(nameOf(proxy), counts), client_key: lea.program.key.jkt, address: '192.0.2.1' }
  const grant = await forge(world, lea, change(set) as SessionSetSubject)
  expect(await openOn(world, lea, grant, 'pg-1')).toMatchObject({ status: 403, json: { error: 'grant_invalid' } })
  expect((await openOn(world, lea, await forge(world, lea, set), 'pg-1')).status).toBe(200)
})
