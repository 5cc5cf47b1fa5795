/** The edge's signature alone opens nothing where a role wants a tap: the proxy checks the tap itself, with keys that it knows. */

import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import type { SessionAsk } from '../../../core/access/request-session.ts'
import type { RoleDocument } from '../../../core/access/role.ts'
import { type Grant, issueGrant } from '../../../core/issue/grant.ts'
import { base64url } from '../../../core/lib/bytes.ts'
import { type ClientSessionId, type CredentialId, type Holder, hours, type UserId } from '../../../core/model.ts'
import type { Tap } from '../../../core/tap/verify.ts'
import { newPerson, type Person } from '../../people.ts'
import { newProofKey } from '../../program.ts'
import { askFor, newBoot, putDocuments, readerRole } from '../../proxies.ts'
import { grantFor, nameOf, newWorld, Tunnel, type World } from './world.ts'

/** What a thief of the edge's signing key can make: any grant, around the taps that he has. */
async function forge({ edge }: World, person: Person, ask: SessionAsk, tap?: Tap, more: Partial<Grant> = {}) {
  const { resource, principal, proxy } = ask
  const address = tap ? (tap.intent.subject as { address: string }).address : '192.0.2.1'
  const clientKey = person.program.key.jkt as Holder
  const id = tap?.intent.id ?? base64url(crypto.getRandomValues(new Uint8Array(16)))
  const subject = { resource, principal, client_key: clientKey, proxy, address }
  const { sub: user, sid } = decodeJwt(person.token)
  const factor = person.passkey.credentialId as CredentialId
  const login = { id: sid as ClientSessionId, factor, expiresAt: edge.ports.now() + hours(12) }
  const grant = { id, user: user as UserId, login, clientKey, subject, tap, ...more }
  return issueGrant(edge.site.origin, await edge.ports.keyring.current(), grant, edge.ports.now())
}

const userOf = ({ token }: Person) => decodeJwt(token).sub as UserId
/** The tap in a real grant, which has opened nothing yet. */
const tapIn = (grant: string) => decodeJwt(grant)['tap'] as Tap

const tryIt = async ({ proxy }: World, person: Person, grant: string, name = 'pg-1') =>
  (await Tunnel.open(proxy)).connect(grant, person, { name })

test('a grant without a tap is refused where the role wants one', async () => {
  const world = await newWorld()
  const grant = await forge(world, world.lea, askFor(nameOf(world.proxy)))
  expect(await tryIt(world, world.lea, grant)).toMatchObject({ status: 403, json: { error: 'tap_required' } })
})

test('the forgery with the very tap opens: the other refusals here are for what is changed', async () => {
  const world = await newWorld()
  const ask = askFor(nameOf(world.proxy))
  const tap = tapIn(await grantFor(world, world.lea))
  expect(await tryIt(world, world.lea, await forge(world, world.lea, ask, tap))).toMatchObject({ status: 200 })
})

test.for([
  ['another resource', (ask: SessionAsk) => ({ ...ask, resource: { kind: 'db' as const, name: 'pg-2' } })],
  ['another database', (ask: SessionAsk) => ({ ...ask, principal: { db_user: 'reader', db_name: 'payroll' } })],
  ['another principal', (ask: SessionAsk) => ({ ...ask, principal: { db_user: 'owner', db_name: 'orders' } })],
  ['another process', (ask: SessionAsk) => ({ ...ask, proxy: { ...ask.proxy, boot: newBoot() } })],
] as const)('a tap for %s is refused', async ([, change]) => {
  const world = await newWorld()
  const { admin, lea, proxy, database } = world
  // Both sessions are hers to have: what is wrong is that she approved the other one.
  const role = readerRole() as RoleDocument
  const allow = { ...role.spec.allow, db_users: ['reader', 'owner'], db_names: ['orders', 'payroll'] }
  await putDocuments(admin, { ...role, spec: { ...role.spec, allow } })
  await proxy.serving.trust.ask()
  const ask = askFor(nameOf(proxy))
  const tap = tapIn(await grantFor(world, lea, change(ask)))
  expect((await tryIt(world, lea, await forge(world, lea, ask, tap))).status).toBe(403)
  await expect.poll(proxy.codes).toContain('wrong_subject')
  expect(database.connections).toHaveLength(0)
})

test('a tap of somebody else is refused, under either name', async () => {
  const world = await newWorld()
  const bob = await newPerson(world.admin, 'Bob', ['access', 'db-reader'])
  await world.proxy.serving.trust.ask()
  const ask = askFor(nameOf(world.proxy))
  const tap = tapIn(await grantFor(world, bob))
  expect((await tryIt(world, world.lea, await forge(world, world.lea, ask, tap))).status).toBe(403)
  expect((await tryIt(world, world.lea, await forge(world, world.lea, ask, tap, { user: userOf(bob) }))).status).toBe(
    403,
  )
})

test('a tap for another key is refused', async () => {
  const world = await newWorld()
  const tap = tapIn(await grantFor(world, world.lea))
  const thief = await newProofKey()
  const ask = askFor(nameOf(world.proxy))
  const clientKey = thief.jkt as Holder
  const subject = { ...ask, client_key: clientKey, address: '192.0.2.1' }
  const grant = await forge(world, world.lea, ask, tap, { clientKey, subject })
  const answer = await (await Tunnel.open(world.proxy)).connect(grant, world.lea, { key: thief })
  expect(answer.status).toBe(403)
})

test('one tap opens one session, however often the edge signs grants with it', async () => {
  const world = await newWorld()
  const ask = askFor(nameOf(world.proxy))
  const tap = tapIn(await grantFor(world, world.lea))
  expect(await tryIt(world, world.lea, await forge(world, world.lea, ask, tap))).toMatchObject({ status: 200 })
  expect((await tryIt(world, world.lea, await forge(world, world.lea, ask, tap))).status).toBe(403)
  const another = { id: base64url(crypto.getRandomValues(new Uint8Array(16))) }
  expect((await tryIt(world, world.lea, await forge(world, world.lea, ask, tap, another))).status).toBe(403)
})

test('a grant for one resource does not open another one', async () => {
  const world = await newWorld()
  expect((await tryIt(world, world.lea, await grantFor(world, world.lea), 'pg-2')).status).toBe(403)
})

test('a grant without a tap is refused where the cluster wants one, whatever the role says', async () => {
  const world = await newWorld()
  const { admin, lea, proxy } = world
  await putDocuments(admin, readerRole('db-reader', false))
  await proxy.serving.trust.ask()
  const open = async () => tryIt(world, lea, await forge(world, lea, askFor(nameOf(proxy))))
  expect(await open()).toMatchObject({ status: 200 })
  const spec = { type: 'local', require_session_mfa: true } as const
  const metadata = { name: 'cluster-auth-preference' }
  await putDocuments(admin, { kind: 'cluster_auth_preference', version: 'v2', metadata, spec })
  await proxy.serving.trust.ask()
  expect(await open()).toMatchObject({ status: 403, json: { error: 'tap_required' } })
})
