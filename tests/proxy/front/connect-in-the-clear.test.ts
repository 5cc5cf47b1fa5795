/** CONNECT without TLS leads back to the port itself and nowhere else, and no credential is taken on the way. */
import { writeFileSync } from 'node:fs'
import { connect as connectNet } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { bytesOfHex, message, pieces, records, sni } from '../../core/hello-writer.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, edgeThat, type Proxy as Started, startProxy, until } from '../proxy.ts'
import { routeOf, startRoutes, startTlsService } from '../routes/routes.ts'
import { startDatabase } from '../sessions/database.ts'
import { answerTo, call, missing, run } from './front.ts'

const established = 'HTTP/1.1 200 Connection established\r\n\r\n'
const names = { dns: ['proxy.test', 'localhost'], addresses: ['127.0.0.1', '::1', '192.0.2.1'] }
const connecting = (target: string, ...fields: readonly string[]) =>
  [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...fields, '', ''].join('\r\n')

async function front(options: Partial<Parameters<typeof startProxy>[0]> = {}) {
  const web = await startTlsService('web')
  const routes = [routeOf({ name: 'web', sni: ['a.test', '*.a.test'], backends: [web.uri] })]
  const proxy = await startProxy({ edge: 'http://localhost:1', names, routes, ...options })
  return { web, proxy }
}

const statusOf = (answer: string) => [answer.split(' ', 2)[1], JSON.parse(answer.split('\r\n\r\n')[1] ?? 'null')]

test('curl reaches the pages of the proxy and a route of it, as without', async (context) => {
  const lacking = missing('curl')
  if (lacking) return context.skip(lacking)
  const edge = await edgeThat((_, response) => void response.end('healthy'))
  const { proxy, web } = await front({ edge })
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [own, webs] = [join(folder, 'ca.pem'), join(folder, 'web.pem')]
  writeFileSync(own, proxy.ca)
  writeFileSync(webs, web.ca)
  const curl = (ca: string, url: string, ...more: readonly string[]) =>
    run('curl', [
      '--silent',
      '--show-error',
      '--noproxy',
      '',
      '--proxy',
      `http://127.0.0.1:${proxy.port}`,
      '--cacert',
      ca,
      ...more,
      url,
    ])
  const pages = await curl(own, `https://proxy.test:${proxy.port}/healthz`)
  expect(pages).toMatchObject({ code: 0, stdout: 'healthy' })
  // The service speaks no HTTP: it is enough that curl has verified it and got its first words.
  const route = await curl(webs, `https://x.a.test:${proxy.port}/`, '--http0.9', '--max-time', '2')
  expect(route.stdout).toContain('web x.a.test')
  const elsewhere = await curl(own, 'https://example.com/')
  expect(elsewhere).toMatchObject({ code: 56, stdout: '' })
  expect(elsewhere.stderr).toContain('403')
})

test('ncat --proxy, which says HTTP/1.0, carries TLS to the port', async (context) => {
  const lacking = missing('ncat')
  if (lacking) return context.skip(lacking)
  const { proxy } = await front()
  const hello = Buffer.from(records(message(sni('c.test'))))
  const through = ['--proxy', `127.0.0.1:${proxy.port}`, '--proxy-type', 'http', 'proxy.test', String(proxy.port)]
  const ran = await run('ncat', through, hello as unknown as string)
  // As without: no route is of that name, and the alert says so.
  expect(ran.stdout).toBe('\x15\x03\x03\x00\x02\x02\x70')
})

const tlsBehind = async ({ port }: Started, ca: string, target: string, servername: string) => {
  const raw = connectNet({ port, host: '127.0.0.1' })
  atEnd(() => raw.destroy())
  raw.write(connecting(target))
  const answer = await new Promise<Buffer>((done) => raw.once('data', done))
  expect(String(answer)).toBe(established)
  const socket = connectTls({ socket: raw, ca, servername })
  let said = ''
  socket.setEncoding('latin1').on('data', (part: string) => {
    said += part
  })
  socket.on('error', () => undefined)
  return () => said
}

test('the hello behind it decides, as always', async () => {
  const { proxy, web } = await front()
  for (const target of [`proxy.test:${proxy.port}`, `a.test:${proxy.port}`, `192.0.2.1:${proxy.port}`]) {
    const said = await tlsBehind(proxy, web.ca, target, 'x.a.test')
    await until(() => said() === 'web x.a.test false\n')
  }
})

test.for([
  (port: number) => `proxy.test:${port}`,
  (port: number) => `PROXY.test:${port}`,
  (port: number) => `pg-1.proxy.test:${port}`,
  (port: number) => `localhost:${port}`,
  (port: number) => `[::1]:${port}`,
  (port: number) => `x.a.test:${port}`,
  // That of the public address, which a balancer may have in front.
  () => 'proxy.test:443',
])('%s is the port itself', async (target) => {
  const { proxy } = await front({ publicUrl: 'https://access.test' })
  const caller = await call(proxy.port, connecting(target(proxy.port)))
  await until(() => caller.said() === established)
})

test.for([
  (port: number) => `example.com:${port}`,
  (port: number) => `a.b.proxy.test:${port}`,
  (port: number) => `xproxy.test:${port}`,
  (port: number) => `test:${port}`,
  (port: number) => `127.0.0.2:${port}`,
  (port: number) => `169.254.169.254:${port}`,
  () => 'proxy.test:22',
  () => 'proxy.test:443',
])('%s is refused with words, and nothing is dialled', async (target) => {
  const { proxy } = await front()
  const answer = await answerTo(proxy.port, connecting(target(proxy.port)))
  expect(statusOf(answer)).toEqual(['403', { error: 'tunnel_refused', message: expect.stringContaining('https://') }])
  expect(answer).toContain('\r\nConnection: close\r\n')
  await expect.poll(proxy.codes).toEqual(['plain_connect'])
})

test('a route for every name takes no CONNECT to a port that is not this one', async () => {
  const web = await startTlsService('web')
  const proxy = await startRoutes([{ sni: ['*'], backends: [web.uri] }])
  const caller = await call(proxy.port, connecting(`example.com:${proxy.port}`))
  await until(() => caller.said() === established)
  expect(await answerTo(proxy.port, connecting('example.com:443'))).toMatch(/^HTTP\/1\.1 403 /)
})

test.each([['Proxy-Authorization: Basic YTpi'], ['Proxy-Authorization: DPoP x'], ['DPoP: x']])(
  'a credential (%s) is refused even where none is needed',
  async (field) => {
    const { proxy } = await front()
    const answer = await answerTo(proxy.port, connecting(`proxy.test:${proxy.port}`, field))
    expect(statusOf(answer)).toMatchObject(['403', { error: 'credential_in_the_clear' }])
    await expect.poll(proxy.codes).toEqual(['plain_credential'])
    expect(JSON.stringify(proxy.log)).not.toMatch(/YTpi/)
  },
)

test.each([
  ['another Host', (port: number) => `CONNECT proxy.test:${port} HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n`],
  ['no Host', (port: number) => `CONNECT proxy.test:${port} HTTP/1.1\r\n\r\n`],
  ['no port', () => 'CONNECT proxy.test HTTP/1.1\r\nHost: proxy.test\r\n\r\n'],
  ['a path', () => 'CONNECT /x HTTP/1.1\r\nHost: proxy.test\r\n\r\n'],
  ['a body', (port: number) => connecting(`proxy.test:${port}`, 'Content-Length: 1')],
  ['a bare line feed', (port: number) => `CONNECT proxy.test:${port} HTTP/1.0\n\n`],
  ['a head too large', (port: number) => connecting(`proxy.test:${port}`, ...Array(64).fill(`A: ${'x'.repeat(300)}`))],
])('%s is malformed', async (_, head) => {
  const { proxy } = await front()
  expect(statusOf(await answerTo(proxy.port, head(proxy.port)))).toMatchObject(['400', { error: 'bad_request' }])
  await expect.poll(proxy.codes).toEqual(['plain_connect_malformed'])
})

test('bytes before the answer end it without one', async () => {
  const { proxy } = await front()
  const hello = Buffer.from(records(message(sni('a.test')))).toString('latin1')
  expect(await answerTo(proxy.port, `${connecting(`proxy.test:${proxy.port}`)}${hello}`)).toBe('')
  await expect.poll(proxy.codes).toEqual(['bytes_too_early'])
})

test.each([
  ['a second CONNECT', (port: number) => connecting(`proxy.test:${port}`), 'plain_connect'],
  ['a PROXY header', 'PROXY UNKNOWN\r\n', 'proxy_header'],
  ['SSH', 'SSH-2.0-x\r\n', 'plain_ssh'],
  ['HTTP', 'GET / HTTP/1.1\r\n\r\n', 'plain_http'],
  ['Postgres', bytesOfHex('0000000804d2162f'), 'plain_postgres'],
  ['what nobody knows', 'x', 'not_tls'],
])('behind it comes TLS, and not %s', async (_, bytes, code) => {
  const { proxy } = await front()
  const caller = await call(proxy.port, connecting(`proxy.test:${proxy.port}`))
  await until(() => caller.said() === established)
  const said = typeof bytes === 'function' ? bytes(proxy.port) : bytes
  caller.socket.write(typeof said === 'string' ? Buffer.from(said, 'latin1') : said)
  await caller.closed
  expect(caller.said()).toBe(established)
  await expect.poll(proxy.codes).toEqual([code])
})

test('the deadline is the one that the connection was accepted with, and silence behind it leads nowhere', async () => {
  const service = await startDatabase((socket) => void socket.write('welcome'))
  const db = { name: 'db', sni: [], protocol: 'tcp', backends: [service.uri] } as const
  const proxy = await startRoutes([db], {
    limits: { handshakeMs: 3000 },
    listener: { onSilence: { afterMs: 300, route: 'db' } },
  })
  const caller = await call(proxy.port, 'CONNECT ')
  const from = performance.now()
  await sleep(2000)
  caller.socket.write(`localhost:${proxy.port} HTTP/1.0\r\n\r\n`)
  await caller.closed
  expect(caller.said()).toBe(established)
  expect(performance.now() - from).toBeLessThan(4800)
  await expect.poll(proxy.codes).toEqual(['handshake_too_slow'])
  expect(service.connections).toEqual([])
})

test('a head that comes byte by byte', async () => {
  const { proxy } = await front()
  const caller = await call(proxy.port)
  for (const piece of pieces(Buffer.from(connecting(`proxy.test:${proxy.port}`)), 1)) caller.socket.write(piece)
  await until(() => caller.said() === established)
})
