/** Certificates by ACME from Debian's Pebble, which validates each challenge over real TLS on the proxy's one port. */
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Names } from '../../../core/issue/x509.ts'
import { hours, minutes } from '../../../core/model.ts'
import { issue, newCa } from '../../cli/certificates.ts'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, dial, head, type Proxy as Started, startProxy, until } from '../proxy.ts'
import { filesOf, routeOf } from '../routes/routes.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { missingPebble, type Pebble, startPebble } from './pebble.ts'

const missing = missingPebble()
const name = 'proxy.acme.test'
const names: Names = { dns: [name, 'localhost'], addresses: ['127.0.0.1', '::1'] }
const days = (count: number) => hours(24 * count)

interface Options {
  readonly validity?: number
  readonly refusedNonces?: number
}

function newHome(): string {
  const home = newFolder()
  atEnd(() => remove(home))
  return home
}

async function withPebble(options: Options = {}) {
  const [port, api] = [await freePort(), await freePort()]
  const home = newHome()
  const ca = await newCa('Pebble’s own TLS')
  let clock = 0
  const pebbleNow = () => startPebble({ tlsPort: port, port: api, ca, ...options })
  const pebble = await pebbleNow()
  const start = (from: Pebble, more: Partial<Parameters<typeof startProxy>[0]> = {}) =>
    startProxy({
      edge: 'http://localhost:1',
      names,
      port,
      home,
      lookEvery: 50,
      limits: { idleMs: 60_000, graceMs: 50 },
      certificatesNow: () => Date.now() + clock,
      acme: { ...from.settings, email: 'ops@acme.test', names: [name] },
      ...more,
    })
  const setClock = (ms: number) => {
    clock = ms
  }
  return { pebble, pebbleNow, home, start, setClock }
}

const issued = ({ log }: Started, count = 1) =>
  until(() => log.filter(({ message }) => message === 'acme certificate issued').length >= count, 60_000)
const shown = async (proxy: Started, ca: string, servername = name) => {
  const wire = await dial({ ...proxy, ca }, { servername })
  return { wire, authorized: wire.socket.authorized, serial: wire.socket.getPeerCertificate().serialNumber }
}
const ofAcme = ({ log }: Started) => log.filter(({ message }) => message.startsWith('acme'))
/** The first may have begun before. */
async function lookTwice({ own }: Started): Promise<void> {
  await own.acme?.look()
  await own.acme?.look()
}
const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

test.skipIf(missing)('a name gets its certificate, which is kept for the next start', async () => {
  const { pebble, start, home } = await withPebble()
  const proxy = await start(pebble)
  await issued(proxy)
  expect(proxy.log.some(({ message }) => message === 'acme challenge shown')).toBe(true)
  const root = await pebble.root()
  const first = await shown(proxy, root)
  expect(first.authorized).toBe(true)
  first.wire.send(head('GET /.well-known/sallyport HTTP/1.1', `Host: ${name}`))
  await until(() => first.wire.said().startsWith('HTTP/1.1 200 '))
  // The challenge is over.
  const after = await dial(proxy, { servername: name, ALPNProtocols: ['acme-tls/1'], rejectUnauthorized: false })
  expect(await after.closed).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
  // Another name of the proxy has what this machine's authority issues.
  expect((await shown(proxy, proxy.ca, 'localhost')).authorized).toBe(true)
  expect(proxy.metrics()).toMatch(/certificate_expires_seconds\{certificate="acme:proxy\.acme\.test"\} \d+\n/)
  const kept = filesBelow(join(home, 'acme'))
  expect(kept).toHaveLength(2)
  for (const file of kept) expect(statSync(file).mode & 0o777).toBe(0o600)
  await proxy.stop()
  const again = await start(pebble)
  expect((await shown(again, root)).serial).toBe(first.serial)
  expect(ofAcme(again)).toEqual([])
})

test.skipIf(missing)(
  'what was ordered for a name is shown before a wildcard of a file, and the wildcard until it is there',
  async () => {
    const { pebble, start } = await withPebble()
    const ca = await newCa()
    const wild = await issue('wild', { by: ca, names: ['*.acme.test'] })
    const files = filesOf({ certificate: wild.pem, key: wild.key })
    const proxy = await start(pebble, { certificates: [files], lookEvery: 3_600_000, certificatesNow: Date.now })
    await issued(proxy)
    expect((await shown(proxy, await pebble.root())).authorized).toBe(true)
    const acme = { directory: 'https://localhost:1/', caFile: undefined, email: undefined, names: [name] }
    const without = await startProxy({ edge: 'http://localhost:1', names, certificates: [files], acme })
    expect((await shown(without, ca.pem)).authorized).toBe(true)
  },
)

test.skipIf(missing)('a certificate that has expired by this machine’s clock is not shown', async () => {
  const { pebble, start, setClock, home } = await withPebble({ validity: days(90) / 1000 })
  // This machine's own authority is from before.
  await (await startProxy({ edge: 'http://localhost:1', names, home })).stop()
  setClock(days(100))
  const proxy = await start(pebble)
  const failed = () => proxy.log.find(({ message }) => message === 'acme certificate not issued')
  await until(() => failed() !== undefined, 60_000)
  expect(failed()?.['detail']).toMatch(/has expired: is the clock/)
})

test.skipIf(missing)('a reload keeps what there is, and orders only the name that came', async () => {
  const { pebble, start } = await withPebble()
  const more = 'more.acme.test'
  const proxy = await start(pebble, { names: { ...names, dns: [name, more, 'localhost'] } })
  await issued(proxy)
  const root = await pebble.root()
  const first = await shown(proxy, root)
  await proxy.reload({ acme: { ...pebble.settings, email: 'ops@acme.test', names: [name, more] } })
  // Not for a moment another one.
  const again = await shown(proxy, root)
  expect(again).toMatchObject({ authorized: true, serial: first.serial })
  await issued(proxy, 2)
  expect(await shown(proxy, root, more)).toMatchObject({ authorized: true })
  expect(ofAcme(proxy).flatMap(({ message, name: of }) => (message === 'acme certificate issued' ? [of] : []))).toEqual(
    [name, more],
  )
  first.wire.send(head('GET /.well-known/sallyport HTTP/1.1', `Host: ${name}`))
  await until(() => first.wire.said().endsWith('}'))
})

test.skipIf(missing)('files that others can read stop the start', async () => {
  const { pebble, start, home } = await withPebble()
  const proxy = await start(pebble)
  await issued(proxy)
  await proxy.stop()
  for (const file of filesBelow(join(home, 'acme'))) {
    chmodSync(file, 0o640)
    await expect(start(pebble)).rejects.toThrow(/can be read by others/)
    chmodSync(file, 0o600)
  }
})

test.skipIf(missing)('half of the nonces are refused: it asks again with others', async () => {
  const { pebble, start } = await withPebble({ refusedNonces: 50 })
  const proxy = await start(pebble)
  await issued(proxy)
  expect((await shown(proxy, await pebble.root())).authorized).toBe(true)
})

test.skipIf(missing)('a route whose TLS ends here gets one too, though it takes whatever is offered', async () => {
  const { pebble, start } = await withPebble()
  const service = await startService((socket) => void socket.write('welcome'))
  const sni = ['app.acme.test']
  const route = routeOf({ name: 'app', sni, tls: 'terminate', backends: [service.uri] })
  const proxy = await start(pebble, { routes: [route], acme: { ...pebble.settings, email: undefined, names: sni } })
  await issued(proxy)
  expect(service.connections).toHaveLength(0)
  const { wire, authorized } = await shown(proxy, await pebble.root(), 'app.acme.test')
  expect(authorized).toBe(true)
  await until(() => wire.said() === 'welcome')
})

test.skipIf(missing)(
  'at two thirds of its life it is renewed; while that fails it stays, and the log says so',
  async () => {
    const { pebble, pebbleNow, start, setClock } = await withPebble({ validity: days(90) / 1000 })
    const proxy = await start(pebble)
    await issued(proxy)
    const first = await shown(proxy, await pebble.root())
    pebble.stop()
    // Sooner than at two thirds nobody is asked.
    setClock(days(59))
    const looked = ofAcme(proxy).length
    await lookTwice(proxy)
    expect(ofAcme(proxy).slice(looked)).toEqual([])
    setClock(days(65))
    const failed = () =>
      proxy.log.filter(({ message }) => message === 'acme certificate not renewed: the one before stays')
    await until(() => failed().length === 1, 60_000)
    expect(failed()[0]).toMatchObject({ level: 'error', name, detail: expect.stringContaining('not reached') })
    // It does not ask again before the pause is over.
    setClock(days(65) + 20_000)
    await lookTwice(proxy)
    expect(failed()).toHaveLength(1)
    const ask = () => first.wire.send(head('GET /.well-known/sallyport HTTP/1.1', `Host: ${name}`))
    ask()
    await until(() => first.wire.said().endsWith('}'))
    const next = await pebbleNow()
    setClock(days(65) + minutes(10))
    await issued(proxy, 2)
    setClock(0)
    const second = await shown(proxy, await next.root())
    expect(second.authorized).toBe(true)
    expect(second.serial).not.toBe(first.serial)
    // Who was connected stays.
    const before = first.wire.said().length
    ask()
    await until(() => first.wire.said().slice(before).endsWith('}'))
  },
  180_000,
)

test.skipIf(missing)(
  'an authority that cannot look at the challenge issues nothing, and the log says why',
  async () => {
    const port = await freePort()
    const pebble = await startPebble({ tlsPort: await freePort() })
    const acme = { ...pebble.settings, email: undefined, names: [name] }
    const proxy = await startProxy({ edge: 'http://localhost:1', names, port, acme, lookEvery: 50 })
    const failed = () => proxy.log.find(({ message }) => message === 'acme certificate not issued')
    await until(() => failed() !== undefined, 60_000)
    expect(failed()).toMatchObject({ name, detail: expect.stringMatching(/^unauthorized: Failed to connect/) })
    expect((await shown(proxy, proxy.ca)).authorized).toBe(true)
  },
)

test.skipIf(missing)('a file whose key is not the certificate’s is not shown: it is ordered anew', async () => {
  const { pebble, start, home } = await withPebble()
  const proxy = await start(pebble)
  await issued(proxy)
  await proxy.stop()
  const [file = ''] = filesBelow(join(home, 'acme')).filter((path) => path.endsWith('.json'))
  const { cert } = JSON.parse(readFileSync(file, 'utf8')) as { cert: string }
  const other = JSON.stringify({ cert, key: readFileSync(join(file, '..', 'account.key'), 'utf8') })
  writeFileSync(file, other)
  const again = await start(pebble)
  await issued(again)
  expect((await shown(again, await pebble.root())).authorized).toBe(true)
})
