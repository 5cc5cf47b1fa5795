/** Another table takes the place of the one before: who is connected notices nothing, and who comes goes by the new one. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { issue, newCa } from '../../cli/certificates.ts'
import { message, records, sni } from '../../core/hello-writer.ts'
import { dial, type Proxy as Routed, until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { connectTo, filesOf, listening, routeOf, startRoutes } from './routes.ts'

const hello = records(message(sni('a.test')))
const megabyte = 1024 * 1024

async function reload(proxy: Routed, routes: readonly Parameters<typeof routeOf>[0][]): Promise<void> {
  await proxy.serving.reload({ ...proxy.settings, routes: routes.map(routeOf) }, proxy.certificates)
}

test('a long transfer both ways across 100 reloads arrives byte for byte, and each reload counts at once', async () => {
  const all = 48 * megabyte
  // What comes is sent back, and counted on the way by nobody but the client.
  const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket))
  const [uri, other] = [await listening(echo), await startService((socket) => void socket.end('other'))]
  const proxy = await startRoutes([{ backends: [uri] }])
  const client = await connectTo(proxy)
  client.socket.setEncoding()
  client.socket.removeAllListeners('data')
  const [sent, received] = [createHash('sha256').update(hello), createHash('sha256')]
  let arrived = 0
  const { socket } = client
  socket.setEncoding('latin1').on('data', (text: string) => {
    received.update(text, 'latin1')
    arrived += text.length
  })
  socket.write(hello)
  let written = 0
  const pour = () => {
    while (written < all) {
      const piece = Buffer.alloc(64 * 1024, String(written))
      sent.update(piece)
      written += piece.length
      if (!socket.write(piece)) return void socket.once('drain', pour)
    }
    socket.end()
  }
  pour()
  for (let n = 0; n < 100; n++) {
    // In turn the route leads elsewhere, and is not there at all.
    await reload(proxy, n % 2 === 0 ? [] : [{ backends: [other.uri] }])
    if (n === 20 || n === 21) {
      const late = await connectTo(proxy)
      late.socket.once('end', () => late.socket.end())
      late.socket.write(hello)
      await late.closed
      expect(late.said()).toBe(n === 20 ? '\x15\x03\x03\x00\x02\x02\x70' : 'other')
    }
    await sleep(2)
  }
  await until(() => client.ended(), 60_000)
  expect(arrived).toBe(all + hello.length)
  expect(received.digest('hex')).toBe(sent.digest('hex'))
})

test('TLS that ended here under the old table goes on; who comes is shown the new certificate', async () => {
  const ca = await newCa()
  const own = await Promise.all(['one', 'two'].map((name) => issue(name, { by: ca, names: ['a.test'] })))
  const files = own.map(({ pem, key }) => filesOf({ certificate: pem, key }))
  const service = await startService((socket) => void socket.on('data', (bytes) => socket.write(bytes)))
  const routed = (at: number) => [{ tls: 'terminate', backends: [service.uri], certificate: files[at] } as const]
  const proxy = await startRoutes(routed(0))
  const open = () => dial({ ...proxy, ca: ca.pem }, { servername: 'a.test' })
  const before = await open()
  await reload(proxy, routed(1))
  before.send('still here')
  await until(() => before.said() === 'still here')
  const after = await open()
  const serial = (wire: typeof before) => wire.socket.getPeerX509Certificate()?.serialNumber
  expect(serial(after)).not.toBe(serial(before))
  after.send('me too')
  await until(() => after.said() === 'me too')
})

test('what is wrong changes nothing: neither the table, nor what is looked at', async () => {
  const service = await startService((socket) => void socket.write('here'))
  const proxy = await startRoutes([{ backends: [service.uri] }])
  const { routing } = proxy.serving
  const missing = { certificate: '/nowhere/cert.pem', key: '/nowhere/key.pem' }
  const wrong = [
    { name: 'b', sni: ['b.test'], tls: 'terminate', backends: [service.uri], certificate: missing } as const,
  ]
  await expect(reload(proxy, wrong)).rejects.toThrow('/nowhere/cert.pem cannot be read')
  expect(proxy.serving.routing).toBe(routing)
  const client = await connectTo(proxy)
  client.socket.write(hello)
  await until(() => client.said() === 'here')
  client.socket.destroy()
})

test('backends that no table names any more are looked at no more; what is known of the others stays', async () => {
  let looks = 0
  const counted = createServer((socket) => {
    looks += 1
    socket.destroy()
  })
  const [uri, gone] = [await listening(counted), '127.0.0.1:1']
  const health = { interval: 20, timeout: 20, rise: 2, fall: 1 }
  const route = { backends: [gone, uri], health }
  const proxy = await startRoutes([route])
  const ups = () => proxy.serving.routing.choices.get('a')?.backends.map(({ isUp }) => isUp)
  await until(() => ups()?.[0] === false && looks > 2)
  await reload(proxy, [route])
  expect(ups()).toEqual([false, true])
  await reload(proxy, [])
  await sleep(100)
  const before = looks
  await sleep(200)
  expect(looks).toBe(before)
})
