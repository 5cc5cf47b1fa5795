/** A route whose TLS ends at the proxy: its certificate, its ALPN, and the plain bytes behind it. */
import { copyFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { issue, newCa } from '../../cli/certificates.ts'
import { dial, until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { endsOf, filesOf, startRoutes } from './routes.ts'

const echo = (socket: import('node:net').Socket) => void socket.on('data', (bytes) => socket.write(bytes))

async function ownCertificate(name = 'a.test') {
  const ca = await newCa(`CA of ${name}`)
  const own = await issue(name, { by: ca, names: [name] })
  return { ca: ca.pem, files: filesOf({ certificate: own.pem, key: own.key }) }
}

async function terminating(route: Parameters<typeof startRoutes>[0][number] = {}) {
  const service = await startService(echo, { allowHalfOpen: true })
  const { ca, files } = await ownCertificate()
  const proxy = await startRoutes([{ tls: 'terminate', certificate: files, backends: [service.uri], ...route }])
  return { service, ca, files, proxy }
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  '%s, with the certificate of the route: the service gets plain bytes',
  async (version) => {
    const { service, ca, proxy } = await terminating()
    const wire = await dial({ ...proxy, ca }, { servername: 'a.test', minVersion: version, maxVersion: version })
    expect(wire.socket.getPeerCertificate().subject.CN).toBe('a.test')
    wire.send('plain')
    await until(() => wire.said() === 'plain')
    expect(service.connections[0]?.said()).toBe('plain')
    wire.socket.end()
    service.connections[0]?.socket.end()
    expect(await wire.closed).toBeUndefined()
    await until(() => endsOf(proxy).length === 1)
    expect(endsOf(proxy)).toMatchObject([{ route: 'a', code: 'ended', up: 5, down: 5 }])
  },
)

test('TLS 1.1 is refused', async () => {
  const { ca, proxy } = await terminating()
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  expect(await (await dial({ ...proxy, ca }, { servername: 'a.test', ...old })).closed).toBe(
    'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  )
  await expect.poll(proxy.codes).toEqual(['handshake_failed'])
})

test('an answer that comes after the client has ended its side arrives', async () => {
  const service = await startService((socket) => void socket.on('end', () => socket.end('late')), {
    allowHalfOpen: true,
  })
  const { ca, proxy } = await terminating({ backends: [service.uri] })
  const wire = await dial({ ...proxy, ca }, { servername: 'a.test' })
  wire.socket.allowHalfOpen = true
  wire.socket.end('last')
  expect(await wire.closed).toBeUndefined()
  expect(wire.said()).toBe('late')
})

test('a reset of the service is a reset for the client', async () => {
  const { ca, service, proxy } = await terminating()
  const wire = await dial({ ...proxy, ca }, { servername: 'a.test' })
  wire.send('x')
  await until(() => wire.said() === 'x')
  service.connections[0]?.socket.resetAndDestroy()
  expect(await wire.closed).toBe('ECONNRESET')
  expect(endsOf(proxy)).toMatchObject([{ code: 'upstream_reset' }])
})

test('of several protocols the route takes the one that it prefers; a client that offers none is another matter', async () => {
  const { ca, proxy } = await terminating({ alpn: ['h2', 'http/1.1'] })
  const offering = (ALPNProtocols: string[]) => dial({ ...proxy, ca }, { servername: 'a.test', ALPNProtocols })
  expect((await offering(['http/1.1', 'h2'])).socket.alpnProtocol).toBe('h2')
  expect((await offering(['x', 'http/1.1'])).socket.alpnProtocol).toBe('http/1.1')
  expect(await (await offering([])).closed).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
  await expect.poll(proxy.codes).toEqual(['application_protocol_unknown'])
})

test('a route that names no ALPN agrees upon none, whatever is offered', async () => {
  const { ca, proxy } = await terminating()
  const wire = await dial({ ...proxy, ca }, { servername: 'a.test', ALPNProtocols: ['h2'] })
  expect(wire.socket.alpnProtocol).toBe(false)
  wire.send('x')
  await until(() => wire.said() === 'x')
})

test('without a certificate of its own a route shows the proxy’s', async () => {
  const { proxy } = await terminating({ certificate: undefined })
  const wire = await dial(proxy, { servername: 'a.test', checkServerIdentity: () => undefined })
  expect(wire.socket.authorized).toBe(true)
  wire.send('x')
  await until(() => wire.said() === 'x')
})

test('both certificates are renewed, each for its routes', async () => {
  const { service, files, ca } = await terminating()
  const proxy = await startRoutes(
    [
      { name: 'own', tls: 'terminate', certificate: files, backends: [service.uri] },
      { name: 'shared', sni: ['b.test'], tls: 'terminate', backends: [service.uri] },
    ],
    { ttl: 4000, lookEvery: 50 },
  )
  const shown = async (servername: string, of: string) => {
    const wire = await dial({ ...proxy, ca: of }, { servername, checkServerIdentity: () => undefined })
    return wire.socket.getPeerCertificate().fingerprint256
  }
  const before = [await shown('a.test', ca), await shown('b.test', proxy.ca)]
  const next = await ownCertificate()
  copyFileSync(next.files.key, files.key)
  copyFileSync(next.files.certificate, files.certificate)
  await expect.poll(() => shown('a.test', next.ca), { timeout: 5000 }).not.toBe(before[0])
  await expect.poll(() => shown('b.test', proxy.ca), { timeout: 5000 }).not.toBe(before[1])
})
