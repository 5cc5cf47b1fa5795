/** A grant in a client certificate: for one key, one proxy, one resource, one principal, and so often as its tap says. */
import { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import 'reflect-metadata'
import { X509CertificateGenerator } from '@peculiar/x509'
import { expect, test } from 'vitest'
import { newKeys } from '../../../core/issue/x509.ts'
import { lockOf, putDocuments } from '../../people.ts'
import { askFor, newBoot, putDocuments as put, readerRole } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { certificateOf, certify, dialPostgres, isOpenedBy, isReady, startDirect, thumbprintOf } from './certificate.ts'
import { message } from './database.ts'
import { eventsOf, grantFor, nameOf, newWorld, type World } from './world.ts'

const again = 'Run "sallyport db login"'

const opens = ({ proxy }: Pick<World, 'proxy'>, dialling: Parameters<typeof isOpenedBy>[1]) =>
  isOpenedBy(proxy, dialling)

/** What it says in refusing, and the reason in the log. */
async function refusal(
  world: Pick<World, 'proxy'>,
  ...about: [Parameters<typeof startDirect>[1], Record<string, string>?]
) {
  const said = await (await startDirect(world.proxy, ...about)).closed
  const line = world.proxy.log.findLast((one) => one.message === 'postgres refused')
  return { said, code: line?.code, detail: String(line?.['detail']) }
}

test('it opens a session by the name of the resource, asked for in the clear or at once', async () => {
  const world = await newWorld()
  for (const direct of [false, true]) {
    const certified = await certify(world)
    const client = await startDirect(world.proxy, { certified, direct })
    await client.until(isReady)
    client.socket.write(message('Q', 'select 1\0'))
    await client.until((said) => said.includes('select 1'))
    client.socket.end(message('X'))
    await client.closed
  }
  await until(() => eventsOf(world.edge).length === 4)
})

test('of many that come together, as many open as the tap says, each under an id of its own', async () => {
  const world = await newWorld()
  const certified = await certify(world, { uses: 3 })
  const all = await Promise.all(Array.from({ length: 12 }, () => opens(world, { certified })))
  expect(all.filter(Boolean)).toHaveLength(3)
  expect(world.database.connections).toHaveLength(3)
  await until(() => eventsOf(world.edge).length === 12)
  const ids = world.edge.rows("select distinct session_id as id from audit where kind = 'session.start'")
  expect(ids).toHaveLength(3)
})

test('what the tap said of uses and key stands in the audit log', async () => {
  const world = await newWorld()
  const { keys } = await certify(world, { uses: 3 })
  const [row] = world.edge.rows("select detail from audit where kind = 'session.grant'")
  expect(JSON.parse(String(row?.['detail']))).toMatchObject({ uses: 3, certificate: await thumbprintOf(keys) })
})

test('with another key than the tap named it is refused, and the grant is still good', async () => {
  const world = await newWorld()
  const certified = await certify(world)
  const stolen = await certificateOf(await newKeys(), certified.grant)
  expect(await refusal(world, { certified: stolen })).toMatchObject({
    code: 'grant_invalid',
    said: expect.stringContaining(again),
  })
  expect(await opens(world, { certified })).toBe(true)
})

test('a grant for the program’s own key is none for a certificate', async () => {
  const world = await newWorld()
  const certified = await certificateOf(await newKeys(), await grantFor(world, world.lea))
  expect(await refusal(world, { certified })).toMatchObject({
    code: 'grant_invalid',
    detail: expect.stringContaining('another key'),
  })
})

test('for another process or another proxy it is refused', async () => {
  const world = await newWorld()
  const { id } = nameOf(world.proxy)
  const certified = await certify(world, { ask: { proxy: { id, boot: newBoot() } } })
  expect(await refusal(world, { certified })).toMatchObject({ detail: expect.stringContaining('another proxy') })
  const other = await newWorld({ tap: false })
  expect(await refusal(world, { certified: await certify(other) })).toMatchObject({ code: 'grant_invalid' })
})

test.for([
  [84, true],
  [100, false],
] as const)('%s seconds after the grant: opens %s', async ([later, isOpen]) => {
  const world = await newWorld()
  const certified = await certify(world)
  world.edge.advance(later * 1000)
  await world.proxy.serving.trust.ask()
  expect(await opens(world, { certified })).toBe(isOpen)
})

test('under the name of another resource it is refused', async () => {
  const world = await newWorld()
  const certified = await certify(world)
  expect(await refusal(world, { certified, name: 'pg-2.localhost' })).toMatchObject({
    code: 'grant_invalid',
    said: expect.stringContaining(again),
  })
})

test.for([
  ['user', { user: 'owner', database: 'orders' }],
  ['database', { user: 'reader', database: 'payroll' }],
] as const)('another %s is refused, and the server hears nothing', async ([, parameters]) => {
  const world = await newWorld()
  const client = await startDirect(world.proxy, { certified: await certify(world) }, parameters)
  expect(await client.closed).toMatch(/^E.*SFATAL.*C28000.*granted for the user "reader"/s)
  expect(world.database.connections[0]?.said()).not.toContain('user')
})

test('without a certificate it is refused', async () => {
  const world = await newWorld({ tap: false })
  expect(await refusal(world, {})).toMatchObject({ code: 'grant_invalid', said: expect.stringContaining(again) })
})

const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

async function otherCertificate(kind: 'P-256' | 'P-384' | 'RSA') {
  const signing = { name: kind === 'RSA' ? 'RSASSA-PKCS1-v1_5' : 'ECDSA', hash: 'SHA-256' }
  const rsa = { ...signing, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
  const keys = (await crypto.subtle.generateKey(kind === 'RSA' ? rsa : { ...signing, namedCurve: kind }, true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const certificate = await X509CertificateGenerator.createSelfSigned({ name: 'CN=x', keys, signingAlgorithm: signing })
  return { cert: certificate.toString('pem'), key: pemOf(KeyObject.from(keys.privateKey)) }
}

test.for([
  ['P-256', 'no grant in it'],
  ['P-384', 'no P-256 key'],
  ['RSA', 'no P-256 key'],
] as const)('a certificate of a %s key that carries no grant is refused: %s', async ([kind, why]) => {
  const world = await newWorld({ tap: false })
  expect(await refusal(world, { certified: await otherCertificate(kind) })).toMatchObject({
    code: 'grant_invalid',
    detail: expect.stringContaining(why),
    said: expect.stringContaining(again),
  })
})

test.for([
  ['no token', 'a b'],
  ['an empty one', ''],
  ['no JWT', 'abc.def'],
] as const)('a malformed extension is refused: %s', async ([, text]) => {
  const world = await newWorld({ tap: false })
  const certified = await certificateOf(await newKeys(), text)
  expect(await refusal(world, { certified })).toMatchObject({
    code: 'grant_invalid',
    said: expect.stringContaining(again),
  })
})

test('a session is never resumed: each shows its certificate', async () => {
  const world = await newWorld({ tap: false })
  const certified = await certify(world)
  const first = await dialPostgres(world.proxy, { certified, tls: { maxVersion: 'TLSv1.2' } })
  const session = first.getSession()
  first.destroy()
  expect(session).toBeDefined()
  const next = await dialPostgres(world.proxy, { tls: { ...(session && { session }), maxVersion: 'TLSv1.2' } })
  expect(next.isSessionReused()).toBe(false)
})

test('a first message that does not come is not waited for', async () => {
  const world = await newWorld({ tap: false, limits: { startupMs: 300 } })
  const socket = await dialPostgres(world.proxy, { certified: await certify(world) })
  socket.resume().on('error', () => undefined)
  await once(socket, 'close')
  await expect.poll(world.proxy.codes).toContain('startup_too_slow')
})

test('where no tap is wanted it opens as often as it is shown, also in the next process', async () => {
  const world = await newWorld({ tap: false })
  const certified = await certify(world)
  for (let i = 0; i < 3; i++) expect(await opens(world, { certified })).toBe(true)
  world.edge.advance(3600_000)
  await world.proxy.stop()
  const proxy = await world.restart()
  expect(await opens({ proxy }, { certified })).toBe(true)
  const ids = world.edge.rows("select distinct session_id as id from audit where kind = 'session.start'")
  expect(ids.length).toBeGreaterThanOrEqual(3)
})

test('it lives for twelve hours at most', async () => {
  const world = await newWorld({ tap: false })
  const certified = await certify(world)
  world.edge.advance(12 * 3600_000 + 40_000)
  await world.proxy.serving.trust.ask()
  expect(await opens(world, { certified })).toBe(false)
})

test('each time it is decided anew: a lock, and a role that wants a tap by now', async () => {
  const world = await newWorld({ tap: false })
  const certified = await certify(world)
  await put(world.admin, readerRole('db-reader', true))
  await world.proxy.serving.trust.ask()
  expect(await refusal(world, { certified })).toMatchObject({ code: 'tap_wanted' })
  await put(world.admin, readerRole('db-reader', false))
  await putDocuments(world.admin, [lockOf('Lea', { message: 'Call the office.' })])
  await world.proxy.serving.trust.ask()
  expect(await refusal(world, { certified })).toMatchObject({ said: expect.stringContaining('Call the office.') })
})

test.for([0, 17, 1.5])('%s uses are not asked for', async (uses) => {
  const world = await newWorld()
  await expect(certify(world, { uses })).rejects.toThrow(/the session was answered 4\d\d/)
})

test('a key that is no thumbprint is not asked for', async () => {
  const world = await newWorld({ tap: false })
  const certificate = { key: 'A'.repeat(42) as never, uses: 1 }
  await expect(grantFor(world, world.lea, { ...askFor(nameOf(world.proxy)), certificate })).rejects.toThrow(
    /answered 4/,
  )
})
