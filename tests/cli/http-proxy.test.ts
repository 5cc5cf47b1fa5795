/** Where only an HTTP proxy leads out of the network: login, calls, and a session's tunnel pass it, as TLS that it cannot read. */
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { httpProxyFor } from '../../cli/http-proxy.ts'
import { newSessionProxy } from './db/session-proxy.ts'
import { dial, echo, serve } from './db/wire.ts'
import { newCli } from './run-cli.ts'
import { answerIn, type Front } from './tls-edge.ts'

/** Lets out to port 443 of one name alone, whoever has the password, and notes what it was asked for. */
async function restricted(front: Front) {
  const asked: string[] = []
  const passed: Buffer[] = []
  const open = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined)
    asked.push(`${request.url} ${request.headers.host}`)
    const credential = `Basic ${Buffer.from('ada:s3cret p').toString('base64')}`
    if (request.headers['proxy-authorization'] !== credential)
      return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
    if (request.url !== 'access.test:443') return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    const upstream = connect({ host: '127.0.0.1', port: front.port, allowHalfOpen: true }, () => {
      socket.write('HTTP/1.0 200 Connection established\r\nVia: 1.1 test\r\n\r\n')
      if (head.length > 0) upstream.write(head)
      socket.on('data', (part: Buffer) => passed.push(part)).pipe(upstream)
      upstream.pipe(socket)
    })
    upstream.on('error', () => socket.destroy())
    return undefined
  }
  const server = createServer().on('connect', open)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return {
    asked,
    passed: () => Buffer.concat(passed).toString('latin1'),
    port,
    url: `http://ada:s3cret%20p@127.0.0.1:${port}`,
  }
}

function cliAt(front: Front, env: Readonly<Record<string, string>>) {
  const cli = newCli(env)
  writeFileSync(join(cli.home, 'ca.pem'), front.caPem)
  return cli
}

test('login, a call and a session pass it; no token is to be read there', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await echo(), name: 'access.test' })
  const way = await restricted(proxy.front)
  const cli = cliAt(proxy.front, { HTTPS_PROXY: way.url })
  const login = cli.start(['login', '--proxy=access.test', '--ca-file=ca.pem'])
  await answerIn(login, proxy.front.person)
  expect(await login.ended).toMatchObject({ code: 0 })
  expect(await cli.run(['ls'])).toMatchObject({ code: 0, stdout: expect.stringContaining('web-1') })
  const running = cli.start(['proxy', 'tcp', 'node/web-1', '--login=ubuntu', '--no-browser'])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
  const wire = dial(Number(port))
  wire.send('SSH-2.0-there\r\n')
  await answerIn(running, proxy.front.person)
  await wire.until(/^SSH-2\.0-there\r\n$/)
  wire.socket.end()
  expect(await wire.ended).toBe('end')
  expect(proxy).toMatchObject({ faults: [], sessions: ['node/web-1 (login ubuntu)*'] })
  expect(new Set(way.asked)).toEqual(new Set(['access.test:443 access.test:443']))
  expect(way.passed()).not.toMatch(/DPoP|grant_type|SSH-2\.0/)
}, 90_000)

const login = ['login', '--proxy=access.test', '--ca-file=ca.pem']
const other = (text: string) => text.replace(/:\d+ /, ':PORT ')

test('what it refuses, and what is none, is told with what to do', async () => {
  const { front } = await newSessionProxy()
  const way = await restricted(front)
  const wrong = `http://ada:wrong@127.0.0.1:${way.port}`
  expect(await cliAt(front, { https_proxy: wrong }).run(login)).toMatchObject({
    code: 5,
    stderr: `sallyport: error: Cannot sign in: the HTTP proxy 127.0.0.1:${way.port} refuses the way (status 407)\nhint: put USER:PASSWORD@ before the host in HTTPS_PROXY\n`,
  })
  const elsewhere = await cliAt(front, { ALL_PROXY: way.url }).run([
    'login',
    '--proxy=access.test:8443',
    '--ca-file=ca.pem',
  ])
  expect(elsewhere).toMatchObject({ code: 5, stderr: expect.stringContaining('refuses the way (status 403)') })

  const mute = await serve((socket) => void socket.write('SSH-2.0-none\r\n\r\n'))
  const { code, stderr } = await cliAt(front, { HTTPS_PROXY: `127.0.0.1:${mute}` }).run(login)
  expect([code, other(stderr.split('\n')[0] ?? '')]).toEqual([
    5,
    'sallyport: error: Cannot sign in: the HTTP proxy 127.0.0.1:PORT cannot be reached (it is no answer of HTTP)',
  ])
  const gone = await cliAt(front, { HTTPS_PROXY: 'http://127.0.0.1:1' }).run(login)
  expect(gone).toMatchObject({ code: 5, stderr: expect.stringContaining('cannot be reached (ECONNREFUSED)') })
  expect(await cliAt(front, { HTTPS_PROXY: 'socks5://127.0.0.1:1080' }).run(login)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('HTTPS_PROXY is not the address of an HTTP proxy'),
  })
}, 60_000)

describe('which proxy', () => {
  const of = (variables: Record<string, string>, host = 'access.example.com', port = 443) =>
    httpProxyFor({ host, port }, (name) => variables[name] || undefined)?.host

  test('lower case comes first; nothing set is none; this machine is never asked for elsewhere', () => {
    expect(of({ HTTPS_PROXY: 'http://b', https_proxy: 'a:3128' })).toBe('a')
    expect(of({ ALL_PROXY: 'http://c' })).toBe('c')
    expect(of({ HTTPS_PROXY: '', HTTP_PROXY: 'http://d' })).toBe(undefined)
    for (const host of ['localhost', '127.0.0.1', '::1']) expect(of({ HTTPS_PROXY: 'http://b' }, host)).toBe(undefined)
  })

  test.each([
    ['*', true],
    ['access.example.com', true],
    ['ACCESS.example.com', true],
    ['example.com', true],
    ['.example.com', true],
    ['*.example.com', true],
    ['other.org, example.com', true],
    ['access.example.com:443', true],
    ['access.example.com:8443', false],
    ['ample.com', false],
    ['cess.example.com', false],
    ['access.example.co', false],
    ['', false],
  ])('NO_PROXY=%s: straight there is %s', (list, straight) => {
    expect(of({ HTTPS_PROXY: 'http://b', NO_PROXY: list }) === undefined).toBe(straight)
  })

  test('an address of IPv6 may be exempt', () => {
    expect(of({ HTTPS_PROXY: 'http://b', NO_PROXY: '2001:db8::1' }, '2001:db8::1')).toBe(undefined)
    expect(of({ HTTPS_PROXY: 'http://b', NO_PROXY: '2001:db8::1' }, '2001:db8::2')).toBe('b')
  })
})
