/** What is wrong with a certificate, its grant or its name: closed without a word, and the reason stands in the log. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { newKeys } from '../../../core/issue/x509.ts'
import { call } from '../../people.ts'
import { newBoot, putDocuments, setOf } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { certificateOf, thumbprintOf } from '../sessions/certificate.ts'
import { grantFor, nameOf } from '../sessions/world.ts'
import { askOf, certifyFor, dialService, isServed, refusalOf, roleOfAll, serviceWorld } from './services.ts'

const alpn = 'sallyport-redis'
const p256 = { name: 'ECDSA', namedCurve: 'P-256' }
const servername = 'redis-1.localhost'
const closed = { bytes: '', ended: true, error: undefined }

test.for(['localhost', servername])('no certificate (%s)', async (name) => {
  const world = await serviceWorld({ tap: false })
  expect(await refusalOf(world, { alpn, servername: name })).toMatchObject({
    ...closed,
    code: 'grant_invalid',
    detail: expect.stringContaining('no client certificate'),
  })
})

test('a certificate without a grant', async () => {
  const world = await serviceWorld({ tap: false })
  const { cert, key } = await certificateOf(await newKeys(), '')
  expect(await refusalOf(world, { certified: { cert, key }, alpn })).toMatchObject({ ...closed, code: 'grant_invalid' })
})

test('a grant in a certificate of another key; the grant is still good', async () => {
  const world = await serviceWorld()
  const certified = await certifyFor(world, 'redis-1')
  const stolen = await certificateOf(await newKeys(), certified.grant)
  expect(await refusalOf(world, { certified: stolen, alpn, servername })).toMatchObject({
    ...closed,
    code: 'grant_invalid',
    detail: expect.stringContaining('another key'),
  })
  expect(await isServed(world.proxy, { certified, alpn, servername })).toBe(true)
})

test.for([
  [84, true],
  [100, false],
] as const)('%s seconds after a grant with a tap: opens %s', async ([later, isOpen]) => {
  const world = await serviceWorld()
  const certified = await certifyFor(world, 'redis-1')
  world.edge.advance(later * 1000)
  await world.proxy.serving.trust.ask()
  expect(await isServed(world.proxy, { certified, alpn, servername })).toBe(isOpen)
})

test('one that lives as long as the login is over after twelve hours', async () => {
  const world = await serviceWorld({ tap: false })
  const certified = await certifyFor(world, 'redis-1')
  world.edge.advance(12 * 3600_000 + 40_000)
  await world.proxy.serving.trust.ask()
  expect(await refusalOf(world, { certified, alpn, servername })).toMatchObject({ ...closed, code: 'grant_invalid' })
})

test('for another process of the proxy, and for another proxy', async () => {
  const world = await serviceWorld()
  const { id } = nameOf(world.proxy)
  const ofBoot = await certifyFor(world, 'redis-1', { ask: { proxy: { id, boot: newBoot() } } })
  const other = await serviceWorld()
  for (const certified of [ofBoot, await certifyFor(other, 'redis-1')]) {
    expect(await refusalOf(world, { certified, alpn, servername })).toMatchObject({ ...closed, code: 'grant_invalid' })
  }
})

test('under the name of another resource', async () => {
  const world = await serviceWorld()
  const certified = await certifyFor(world, 'redis-1')
  expect(await refusalOf(world, { certified, alpn, servername: 'redis-2.localhost' })).toMatchObject({
    ...closed,
    code: 'grant_invalid',
    detail: expect.stringContaining('another resource'),
  })
})

test('a name that is no resource’s gets an alert, whatever the certificate', async () => {
  const world = await serviceWorld({ tap: false })
  const certified = await certifyFor(world, 'redis-1')
  await expect(dialService(world.proxy, { certified, alpn, servername: 'redis-9.localhost' })).rejects.toThrow(
    /unrecognized.name/i,
  )
  await expect.poll(world.proxy.codes).toContain('server_name_unknown')
})

test('a set needs the name of the resource: under the proxy’s own it opens nothing', async () => {
  const world = await serviceWorld()
  // A set is for the program's own key.
  const { privateKey, jwk } = world.lea.program.key
  const publicKey = await crypto.subtle.importKey('jwk', jwk, p256, true, ['verify'])
  const keys = { privateKey, publicKey } as CryptoKeyPair
  const grant = await grantFor(world, world.lea, setOf(nameOf(world.proxy), { 'redis-1': 2, 'redis-2': 1 }))
  const certified = await certificateOf(keys, grant)
  expect(await refusalOf(world, { certified, alpn })).toMatchObject({
    ...closed,
    code: 'grant_invalid',
    detail: expect.stringContaining('another resource'),
  })
  expect(await isServed(world.proxy, { certified, alpn, servername })).toBe(true)
})

test('one whose login was ended, though it would live for hours', async () => {
  const world = await serviceWorld({ tap: false })
  const certified = await certifyFor(world, 'redis-1')
  expect(await isServed(world.proxy, { certified, alpn, servername })).toBe(true)
  const { status } = await call(world.lea, 'DELETE', `/v1/me/logins/${String(decodeJwt(world.lea.token)['sid'])}`)
  expect(status).toBe(200)
  await until(() => world.proxy.serving.certificateLogins.watched.logins.length === 0)
  expect(await refusalOf(world, { certified, alpn, servername })).toMatchObject({ ...closed, code: 'session_refused' })
})

test('a role that wants a tap by now', async () => {
  const world = await serviceWorld({ tap: false })
  const certified = await certifyFor(world, 'redis-1')
  await putDocuments(world.admin, roleOfAll(true))
  await world.proxy.serving.trust.ask()
  expect(await refusalOf(world, { certified, alpn, servername })).toMatchObject({ ...closed, code: 'tap_wanted' })
})

test('a grant that names another user of the resource than the tap', async () => {
  const world = await serviceWorld()
  const keys = await newKeys()
  const certificate = { key: await thumbprintOf(keys), uses: 1 }
  await expect(
    grantFor(world, world.lea, {
      ...askOf(world, 'redis-1'),
      principal: { db_user: 'admin', db_name: 'orders' },
      certificate,
    }),
  ).rejects.toThrow(/answered 403/)
})

test.for(['TLSv1.2', 'TLSv1.3'] as const)(
  '%s: nothing is resumed, so each connection shows its certificate',
  async (version) => {
    const world = await serviceWorld({ tap: false })
    const certified = await certifyFor(world, 'redis-1')
    const tls = { minVersion: version, maxVersion: version }
    const first = await dialService(world.proxy, { certified, alpn, tls })
    const tickets: Buffer[] = []
    first.on('session', (ticket: Buffer) => tickets.push(ticket))
    first.write('ping')
    await new Promise<void>((done) => first.once('data', () => done()))
    const session = tickets[0] ?? first.getSession()
    first.destroy()
    expect(session).toBeDefined()
    const next = await dialService(world.proxy, { alpn, tls: { ...tls, ...(session && { session }) } })
    expect(next.isSessionReused()).toBe(false)
    next.destroy()
    expect(await refusalOf(world, { alpn, tls: { ...tls, ...(session && { session }) } })).toMatchObject({
      code: 'grant_invalid',
    })
  },
)

test('a client older than TLS 1.2 gets no handshake', async () => {
  const world = await serviceWorld({ tap: false })
  const tls = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const
  await expect(dialService(world.proxy, { alpn, tls })).rejects.toThrow()
  await expect.poll(world.proxy.codes).toContain('handshake_failed')
})
