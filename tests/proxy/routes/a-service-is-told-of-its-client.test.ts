/** `send_proxy: v2`: in front of the client's first bytes, and in one write with them, stands who has connected and what for. */
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { issue, newCa } from '../../cli/certificates.ts'
import { alpn, message, records, sni } from '../../core/hello-writer.ts'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, dial, until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { connectTo, endsOf, filesOf, listening, startRoutes } from './routes.ts'

const signature = '\r\n\r\n\0\r\nQUIT\n'

/** Section 2.2 of the specification, read here by the book. */
function read(said: string) {
  const bytes = Buffer.from(said, 'latin1')
  const length = bytes.readUInt16BE(14)
  const tlvs: Record<number, string> = {}
  for (let at = 28; at < 16 + length; ) {
    const size = bytes.readUInt16BE(at + 1)
    tlvs[bytes[at] as number] = bytes.subarray(at + 3, at + 3 + size).toString('latin1')
    at += 3 + size
  }
  return {
    head: bytes.subarray(0, 14).toString('latin1'),
    source: `${[...bytes.subarray(16, 20)].join('.')}:${bytes.readUInt16BE(24)}`,
    destination: `${[...bytes.subarray(20, 24)].join('.')}:${bytes.readUInt16BE(26)}`,
    tlvs,
    rest: bytes.subarray(16 + length).toString('latin1'),
  }
}

/** What came at once, and all that came. */
async function readOnce() {
  const pieces: Buffer[] = []
  const server = createServer((socket) => void socket.on('data', (piece) => pieces.push(piece)))
  return { uri: await listening(server), pieces }
}

test('a passthrough: header and hello come in one piece, with name, protocol and number', async () => {
  const { uri, pieces } = await readOnce()
  const proxy = await startRoutes([{ backends: [uri], sendProxy: true }])
  const client = await connectTo(proxy)
  const hello = records(message(sni('A.test.'), alpn('h2')))
  client.socket.write(hello)
  await until(() => pieces.length > 0)
  const told = read((pieces[0] as Buffer).toString('latin1'))
  const { localPort } = client.socket
  expect(told).toMatchObject({
    head: `${signature}\x21\x11`,
    source: `127.0.0.1:${localPort}`,
    destination: `127.0.0.1:${proxy.port}`,
    rest: Buffer.from(hello).toString('latin1'),
  })
  client.socket.destroy()
  await until(() => endsOf(proxy).length === 1)
  const [line] = endsOf(proxy)
  expect(told.tlvs).toEqual({ 1: 'h2', 2: 'a.test', 5: String(line?.['connection']) })
  // The header is ours, and no byte of the client's.
  expect(line).toMatchObject({ up: hello.length, down: 0 })
})

test.each<[string, readonly string[]]>([
  ['nothing', []],
  ['two protocols, of which the service chooses', ['h2', 'http/1.1']],
])('a passthrough where the client offers %s: no protocol is claimed', async (_, offered) => {
  const service = await startService(() => undefined)
  const proxy = await startRoutes([{ backends: [service.uri], sendProxy: true }])
  const client = await connectTo(proxy)
  client.socket.write(records(message(sni('a.test'), ...(offered.length > 0 ? [alpn(...offered)] : []))))
  await until(() => (service.connections[0]?.said().length ?? 0) > 0)
  expect(Object.keys(read(service.connections[0]?.said() ?? '').tlvs)).toEqual(['2', '5'])
})

async function terminating(protocols: readonly string[]) {
  const ca = await newCa()
  const own = await issue('a.test', { by: ca, names: ['a.test'] })
  const certificate = filesOf({ certificate: own.pem, key: own.key })
  const service = await startService((socket) => void socket.write('220 ready\n'))
  const backends = [service.uri]
  const proxy = await startRoutes([{ tls: 'terminate', certificate, alpn: protocols, backends, sendProxy: true }])
  return { service, open: () => dial({ ...proxy, ca: ca.pem }, { servername: 'a.test', ALPNProtocols: ['x', 'h2'] }) }
}

test('TLS that ends here: the protocol is the one agreed upon, and a service that speaks first is not kept waiting', async () => {
  const { service, open } = await terminating(['h2', 'x'])
  const wire = await open()
  await until(() => wire.said() === '220 ready\n')
  expect(wire.socket.alpnProtocol).toBe('h2')
  const told = read(service.connections[0]?.said() ?? '')
  expect(told.tlvs).toMatchObject({ 1: 'h2', 2: 'a.test' })
  expect(told.rest).toBe('')
  wire.send('EHLO')
  await until(() => service.connections[0]?.said().endsWith('EHLO') === true)
})

test('nginx reads the client’s address out of it', async (context) => {
  if (spawnSync('nginx', ['-v']).status !== 0) return context.skip('nginx is not installed')
  const folder = newFolder()
  atEnd(() => remove(folder))
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http { access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server { listen 127.0.0.1:${port} proxy_protocol; location / { return 200 "$proxy_protocol_addr $proxy_protocol_port\\n"; } } }
`,
  )
  const child = spawn('nginx', ['-c', file, '-p', folder], { stdio: 'ignore' })
  atEnd(() => child.kill('SIGKILL'))
  const ca = await newCa()
  const own = await issue('a.test', { by: ca, names: ['a.test'] })
  const certificate = filesOf({ certificate: own.pem, key: own.key })
  const proxy = await startRoutes([{ tls: 'terminate', certificate, backends: [`127.0.0.1:${port}`], sendProxy: true }])
  await expect
    .poll(async () => {
      const wire = await dial({ ...proxy, ca: ca.pem }, { servername: 'a.test' })
      wire.send('GET / HTTP/1.0\r\n\r\n')
      const { localPort } = wire.socket
      await wire.closed
      return wire.said().endsWith(`\r\n127.0.0.1 ${localPort}\n`)
    })
    .toBe(true)
})
