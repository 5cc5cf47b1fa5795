/** A route with `client_ca`: who shows no certificate, or one that does not lead there, reaches nothing. */
import { expect, test } from 'vitest'
import { type Issued, issue, newCa } from '../../cli/certificates.ts'
import { dial, until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { filesOf, startRoutes } from './routes.ts'

async function guarded(options: Parameters<typeof startRoutes>[1] = {}) {
  const service = await startService((socket) => void socket.write('welcome'))
  const staff = await newCa('Staff')
  const { staff: clientCa } = filesOf({ staff: staff.pem })
  const proxy = await startRoutes([{ tls: 'terminate', clientCa, backends: [service.uri] }], options)
  const showing = (shown: Partial<Issued> & { session?: Buffer } = {}, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') =>
    dial(proxy, {
      servername: 'a.test',
      checkServerIdentity: () => undefined,
      maxVersion,
      ...(shown.session && { session: shown.session }),
      ...(shown.pem && { cert: shown.pem, key: shown.key }),
    })
  return { service, staff, proxy, showing }
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const

test.each(versions)('%s: one that leads there reaches the service', async (version) => {
  const { staff, showing } = await guarded()
  const wire = await showing(await issue('lea', { by: staff }), version)
  await until(() => wire.said() === 'welcome')
})

test.each(versions)('%s: without one the service is not dialled', async (version) => {
  const { service, proxy, showing } = await guarded()
  const wire = await showing({}, version)
  await wire.closed
  expect(wire.said()).toBe('')
  await expect.poll(proxy.codes).toEqual(['client_certificate_missing'])
  expect(service.connections).toEqual([])
})

test.each<[string, (staff: Issued) => Promise<Partial<Issued>>]>([
  ['of another authority', async () => issue('eve', { by: await newCa('Elsewhere') })],
  ['of another authority with the same name', async () => issue('eve', { by: await newCa('Staff') })],
  ['that it signed itself', async () => issue('eve', {})],
  ['that has expired', async (staff) => issue('lea', { by: staff, from: -10, until: -1 })],
  ['that is for servers', (staff) => issue('server', { by: staff, isForServers: true })],
])('one %s reaches nothing', async (_, made) => {
  const { service, staff, proxy, showing } = await guarded()
  for (const version of versions) {
    const wire = await showing(await made(staff), version)
    wire.send('x')
    await wire.closed
    expect(wire.said()).toBe('')
  }
  await expect.poll(proxy.codes).toEqual(Array(2).fill('client_certificate_refused'))
  expect(service.connections).toEqual([])
})

test.each(versions)('%s: no session is resumed, so each shows its certificate', async (version) => {
  const { staff, showing } = await guarded()
  const lea = await issue('lea', { by: staff })
  const first = await showing(lea, version)
  let session: Buffer | undefined = version === 'TLSv1.2' ? first.socket.getSession() : undefined
  first.socket.on('session', (given: Buffer) => {
    session = given
  })
  await until(() => first.said() === 'welcome')
  const again = await showing({ ...lea, ...(session && { session }) }, version)
  expect(again.socket.isSessionReused()).toBe(false)
})

test('a renewed server certificate changes nothing about it', async () => {
  const { staff, proxy, showing } = await guarded({ ttl: 4000, lookEvery: 50 })
  await until(() => proxy.log.some(({ message }) => message === 'certificate renewed'))
  const wire = await showing(await issue('lea', { by: staff }))
  await until(() => wire.said() === 'welcome')
  await (await showing(await issue('eve', { by: await newCa('Elsewhere') }))).closed
  await expect.poll(proxy.codes).toEqual(['client_certificate_refused'])
})

test('a file without a certificate stops the start: no authority must not mean every one', async () => {
  for (const content of ['', '\n', 'x']) {
    const { empty: clientCa } = filesOf({ empty: content })
    await expect(startRoutes([{ tls: 'terminate', clientCa }])).rejects.toThrow(/empty\.pem holds no certificate/)
  }
  await expect(startRoutes([{ tls: 'terminate', clientCa: '/nowhere.pem' }])).rejects.toThrow(/cannot be read/)
})
