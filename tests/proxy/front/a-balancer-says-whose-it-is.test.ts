/** PROXY protocol in: HAProxy and nginx in front, in each form that they write, and what is refused of everybody else. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { encodeProxyV2 } from '../../../core/route/proxy-header.ts'
import { bytesOf, join as joined, message, pieces, records, sni } from '../../core/hello-writer.ts'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, until } from '../proxy.ts'
import { endsOf, startRoutes } from '../routes/routes.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { answerTo, call, missing, requiring, serving } from './front.ts'

const hello = records(message(sni('a.test')))
const header = (address: string, port = 51_000) =>
  encodeProxyV2({ source: { address, port }, destination: { address: '198.51.100.1', port: 443 } })
const line = (address: string) => bytesOf(`PROXY TCP4 ${address} 198.51.100.1 51000 443\r\n`)

/** A route whose service says what it got; only a balancer at 127.0.0.1 is believed. */
async function behind(options: Parameters<typeof startRoutes>[1] = {}) {
  const service = await startService((socket) => void socket.on('data', (bytes) => socket.write(bytes)))
  const proxy = await startRoutes([{ backends: [service.uri] }], { listener: requiring('127.0.0.1/32'), ...options })
  return { service, proxy }
}

const folderOf = (name: string, content: string) => {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const file = join(folder, name)
  writeFileSync(file, content)
  return { folder, file }
}

const ways = [
  'send-proxy',
  'send-proxy-v2',
  'send-proxy-v2 proxy-v2-options crc32c',
  'send-proxy-v2 proxy-v2-options crc32c,authority,ssl',
]

test.for(ways)('HAProxy in front, by %s: the client is who connected there', async (way, context) => {
  const lacking = missing('haproxy')
  if (lacking) return context.skip(lacking)
  const { proxy } = await behind()
  const port = await freePort()
  const { file } = folderOf(
    'haproxy.cfg',
    `global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen front
  bind 127.0.0.1:${port}
  server proxy 127.0.0.1:${proxy.port} source 127.0.0.1 ${way}
`,
  )
  await serving(port, 'haproxy', ['-db', '-f', file])
  const caller = await call(port, hello, '127.0.0.9')
  await until(() => caller.said().length === hello.length)
  caller.socket.end()
  await expect.poll(() => endsOf(proxy)).toMatchObject([{ address: '127.0.0.9' }])
})

test('nginx in front, which writes version 1', async (context) => {
  const lacking = missing('nginx')
  if (lacking) return context.skip(lacking)
  const { proxy } = await behind()
  const port = await freePort()
  const { file, folder } = folderOf(
    'nginx.conf',
    `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
master_process off;
pid nginx.pid;
events { worker_connections 64; }
stream { server { listen 127.0.0.1:${port}; proxy_pass 127.0.0.1:${proxy.port}; proxy_protocol on; proxy_half_close on; } }
`,
  )
  await serving(port, 'nginx', ['-p', folder, '-c', file, '-e', join(folder, 'error.log')])
  const caller = await call(port, hello, '127.0.0.9')
  await until(() => caller.said().length === hello.length)
  caller.socket.end()
  await expect.poll(() => endsOf(proxy)).toMatchObject([{ address: '127.0.0.9' }])
})

test.for([1, 3, 100_000])('header and hello in pieces of %i bytes: none of the header passes', async (size) => {
  const { proxy, service } = await behind()
  const caller = await call(proxy.port)
  for (const piece of pieces(joined(header('2001:db8::9'), hello), size)) caller.socket.write(piece)
  await until(() => caller.said().length === hello.length)
  expect(service.connections[0]?.said()).toBe(Buffer.from(hello).toString('latin1'))
  caller.socket.end()
  await expect.poll(() => endsOf(proxy)).toMatchObject([{ address: '2001:db8::9' }])
})

test.each([
  ['LOCAL', Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')],
  ['UNKNOWN', bytesOf('PROXY UNKNOWN\r\n')],
])('%s is of the balancer itself: its address stays', async (_, unknown) => {
  const { proxy } = await behind()
  const caller = await call(proxy.port, joined(unknown, hello))
  await until(() => caller.said().length === hello.length)
  caller.socket.end()
  await expect.poll(() => endsOf(proxy)).toMatchObject([{ address: '127.0.0.1' }])
})

test.each([
  ['no header', hello, 'proxy_header_missing'],
  ['a line that is none', bytesOf('PROXY TCP4 x y 1 2\r\n'), 'proxy_header_malformed'],
  ['two of version 1', joined(line('192.0.2.7'), line('192.0.2.8'), hello), 'proxy_header_twice'],
  ['two of version 2', joined(header('192.0.2.7'), header('192.0.2.8'), hello), 'proxy_header_twice'],
  ['one of each', joined(header('192.0.2.7'), line('192.0.2.8'), hello), 'proxy_header_twice'],
])('%s is closed', async (_, bytes, code) => {
  const { proxy, service } = await behind()
  await answerTo(proxy.port, bytes)
  await expect.poll(proxy.codes).toEqual([code])
  expect(service.connections).toEqual([])
})

test('what a client in the header does is told of him, and of the balancer beside', async () => {
  const { proxy } = await behind()
  await answerTo(proxy.port, joined(header('192.0.2.7'), bytesOf('x')))
  await expect.poll(() => proxy.log).toMatchObject([{ code: 'not_tls', address: '192.0.2.7', peer: '127.0.0.1' }])
})

test('who is not trusted is closed, whatever he says, and reaches nothing', async () => {
  const { proxy, service } = await behind()
  expect(await answerTo(proxy.port, joined(header('127.0.0.1'), hello), '127.0.0.2')).toBe('')
  expect(await answerTo(proxy.port, hello, '127.0.0.2')).toBe('')
  await expect
    .poll(() => proxy.log)
    .toMatchObject([
      { code: 'proxy_peer_untrusted', address: '127.0.0.2' },
      { code: 'proxy_peer_untrusted', address: '127.0.0.2' },
    ])
  expect(service.connections).toEqual([])
})

test('where none is required none may come, not even from this machine', async () => {
  const { proxy, service } = await behind({ listener: {} })
  for (const bytes of [line('192.0.2.7'), header('192.0.2.7')]) await answerTo(proxy.port, joined(bytes, hello))
  await expect.poll(proxy.codes).toEqual(['proxy_header', 'proxy_header'])
  expect(service.connections).toEqual([])
})

test('a header that does not end has no deadline of its own', async () => {
  const { proxy } = await behind({ limits: { handshakeMs: 300 } })
  const caller = await call(proxy.port, 'PROXY ')
  const dribble = setInterval(() => caller.socket.write('T'), 20)
  atEnd(() => clearInterval(dribble))
  await caller.closed
  await expect.poll(proxy.codes).toEqual(['handshake_too_slow'])
})

test('before the header the balancer has no limit of one network; behind it each client has', async () => {
  const { proxy } = await behind({ limits: { connectionsOfOneNetwork: 2 } })
  const all = await Promise.all(Array.from({ length: 5 }, () => call(proxy.port)))
  // All of them are accepted by then, and whoever had to leave has left.
  await sleep(300)
  expect(proxy.log).toEqual([])
  const [first, ...others] = all
  first?.socket.write(header('192.0.2.7'))
  others[0]?.socket.write(header('192.0.2.8'))
  for (const { socket } of others.slice(1)) socket.write(header('192.0.2.7'))
  await expect
    .poll(() => proxy.log)
    .toMatchObject([
      { code: 'too_many_of_one_network', address: '192.0.2.7' },
      { code: 'too_many_of_one_network', address: '192.0.2.7' },
    ])
  expect(others[0]?.socket.closed).toBe(false)
})
