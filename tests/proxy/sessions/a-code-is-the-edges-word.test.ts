/**
 * Nobody but the edge can check a code, so a proxy takes its word only where what the proxy itself knows takes codes alone, and of
 * nobody who has a passkey.
 */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { addProxy, proxyOf } from '../../../core/access/proxies.ts'
import type { Subjects } from '../../../core/intent.ts'
import { type Grant, issueGrant } from '../../../core/issue/grant.ts'
import {
  type ClientSessionId,
  type FactorId,
  type Holder,
  hours,
  type TotpId,
  type UserId,
} from '../../../core/model.ts'
import { onlyCodes } from '../../code-approvals.ts'
import { terminal } from '../../edge.ts'
import type { Person } from '../../people.ts'
import { prefer } from '../../preferences.ts'
import { askFor, putDocuments, setOf } from '../../proxies.ts'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { grantByCode, newCodeReader } from '../../session-codes.ts'
import { atEnd, startProxy, until } from '../proxy.ts'
import { startDatabase } from './database.ts'
import { eventsOf, grantFor, lineTo, nameOf, Tunnel } from './world.ts'

async function newCodeWorld() {
  const database = await startDatabase()
  const made = await newCodeReader(database.uri)
  const { edge, bob, admin } = made
  const line = await lineTo(edge)
  const home = newFolder()
  atEnd(() => remove(home))
  const proxy = await startProxy({
    ...{ edge: line.url, publicUrl: edge.site.origin, home, port: await freePort() },
    ...{ keys: 'first-use' as const, now: edge.ports.now, askEvery: 100 },
    prepare: async ({ x }) => {
      const record = proxyOf('p1', x, edge.ports.now())
      if (record) await addProxy(edge.ports, terminal, record)
    },
  })
  const open = async (grant: string, name = 'pg-1', who: Person = bob) =>
    (await Tunnel.open(proxy)).connect(grant, who, { name })
  const changed = async (change: () => Promise<unknown>) => {
    await change()
    await proxy.serving.trust.ask()
  }
  return { ...made, admin, database, proxy, line, open, changed }
}

type CodeWorld = Awaited<ReturnType<typeof newCodeWorld>>

/** What a thief of the edge's signing key can say. */
async function forge({ edge }: CodeWorld, person: Person, subject: Subjects['session'], more: Partial<Grant> = {}) {
  const { sub: user, sid } = decodeJwt(person.token)
  const clientKey = person.program.key.jkt as Holder
  const login = { id: sid as ClientSessionId, factor: 'app' as FactorId, expiresAt: edge.ports.now() + hours(12) }
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
  const grant = { id, user: user as UserId, login, clientKey, subject, tap: undefined, ...more }
  return issueGrant(edge.site.origin, await edge.ports.keyring.current(), grant, edge.ports.now())
}

const subjectFor = ({ proxy }: CodeWorld, { program }: Person) => ({
  ...askFor(nameOf(proxy)),
  client_key: program.key.jkt,
  address: program.visitor.address,
})

const tapRequired = { status: 403, json: { error: 'tap_required' } }

test('where the preference knows only codes a grant by one opens, once, and the event says so', async () => {
  const world = await newCodeWorld()
  const { edge, bob, proxy, nextCode, open } = world
  const grant = await grantByCode(bob, askFor(nameOf(proxy)), nextCode)
  expect(await open(grant)).toMatchObject({ status: 200 })
  expect(await open(grant)).toMatchObject({ status: 403, json: { error: 'grant_invalid' } })
  await until(() => eventsOf(edge).some(({ kind }) => kind === 'session.start'))
  const [started] = eventsOf(edge).filter(({ kind }) => kind === 'session.start')
  expect(JSON.parse(JSON.parse(String(started?.['detail'])).said)).toMatchObject({ tapped: false, code: true })
})

test('a listed set too, each as often as it says', async () => {
  const { bob, proxy, nextCode, open } = await newCodeWorld()
  const grant = await grantByCode(bob, setOf(nameOf(proxy), { 'pg-1': 2, 'pg-2': 1 }), nextCode)
  const answers: number[] = []
  for (const name of ['pg-1', 'pg-2', 'pg-1', 'pg-1', 'pg-2']) answers.push((await open(grant, name)).status)
  expect(answers).toEqual([200, 200, 200, 403, 403])
})

test('a grant without tap or code is refused as everywhere', async () => {
  const world = await newCodeWorld()
  expect(await world.open(await forge(world, world.bob, subjectFor(world, world.bob)))).toMatchObject(tapRequired)
  // The refusals here are not for the forgery: with a code it is believed, which is what the edge's word is worth there.
  const believed = await forge(world, world.bob, subjectFor(world, world.bob), { code: { app: 'any' as TotpId } })
  expect(await world.open(believed)).toMatchObject({ status: 200 })
})

test.each([
  ['taps too', { second_factor: 'on', allow_passwords: true }],
  ['taps alone', { second_factor: 'webauthn', allow_passwords: true }],
  ['no passwords', { second_factor: 'otp', allow_passwords: false }],
])('once the preference knows %s, a code that was given before opens nothing', async (_, spec) => {
  const { admin, bob, proxy, nextCode, open, changed, database } = await newCodeWorld()
  const grant = await grantByCode(bob, askFor(nameOf(proxy)), nextCode)
  await changed(() => prefer(admin, spec))
  expect(await open(grant)).toMatchObject(tapRequired)
  await expect.poll(proxy.codes).toContain('tap_wanted')
  expect(database.connections).toHaveLength(0)
  await changed(() => prefer(admin, onlyCodes))
  expect(await open(await grantByCode(bob, askFor(nameOf(proxy)), nextCode))).toMatchObject({ status: 200 })
})

test('of who has a passkey no code is believed, whoever signed that it was given; his tap opens', async () => {
  const world = await newCodeWorld()
  const { admin, edge, open, changed, proxy } = world
  edge.store.raw.exec("insert into user_roles select id, 'db-reader' from users where name = 'Ada'")
  await changed(async () => undefined)
  const forged = await forge(world, admin, subjectFor(world, admin), { code: { app: 'any' as TotpId } })
  expect(await open(forged, 'pg-1', admin)).toMatchObject(tapRequired)
  expect(await open(await grantFor({ proxy }, admin), 'pg-1', admin)).toMatchObject({ status: 200 })
})

test('a lock on the app that gave the code, also where another one let the login in: cut, and opened no more', async () => {
  const world = await newCodeWorld()
  const { admin, bob, proxy, open, changed } = world
  const byOther = () => forge(world, bob, subjectFor(world, bob), { code: { app: 'lost-app' as TotpId } })
  const tunnel = await Tunnel.open(proxy)
  expect((await tunnel.connect(await byOther(), bob)).status).toBe(200)
  const lock = { kind: 'lock', version: 'v2', metadata: { name: 'l' } } as const
  await changed(() => putDocuments(admin, { ...lock, spec: { target: { mfa_device: 'lost-app' }, message: 'Lost.' } }))
  await tunnel.closed
  expect((await open(await byOther())).json['message']).toContain('Lost.')
})
