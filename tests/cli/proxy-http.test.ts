import { writeFileSync } from 'node:fs'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { openBrowser, requireChromium } from '../web/browser.ts'
import { newCa, newLeaf } from './certificates.ts'
import { newSessionProxy } from './db/session-proxy.ts'
import { dial } from './db/wire.ts'
import { curl, listening, startProxyHttp } from './forward-proxy.ts'
import { newCli } from './run-cli.ts'
import { answerIn, signedIn } from './tls-edge.ts'

/** Says what it was asked, and by which Host. */
const app: RequestListener = async (asked, reply) => {
  const body = (await buffer(asked)).toString()
  const fields = asked.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
  reply
    .setHeader('content-type', 'text/plain')
    .end(JSON.stringify([asked.method, asked.headers.host, asked.url, body, fields]))
}

test('http:// by curl: as it was asked, hop by hop fields left behind; several requests share a session', async () => {
  const proxy = await newSessionProxy({ port: await listening(createHttp(app)) })
  const { at } = await startProxyHttp(proxy)
  const { body, status } = await curl(
    at,
    '-H',
    'Connection: x-own',
    '-H',
    'X-Own: 1',
    '-H',
    'X-Kept: 2',
    '-d',
    'words',
    'http://wiki/a?b=c',
  )
  expect(status).toBe('200 000')
  const [method, host, url, sent, fields] = JSON.parse(body)
  expect([method, host, url, sent]).toEqual(['POST', 'wiki', '/a?b=c', 'words'])
  expect(fields).toContain('x-kept')
  for (const gone of ['x-own', 'proxy-connection']) expect(fields).not.toContain(gone)
  expect((await curl(at, 'http://WIKI.localhost/')).status).toBe('200 000')
  expect(proxy).toMatchObject({ faults: [], sessions: ['app/wiki'] })
})

test('https:// by curl: the certificate is the app’s, under the host that was given for it; each connection has its tap', async () => {
  const ca = await newCa()
  const leaf = await newLeaf(ca, { names: ['wiki.example.com'] })
  const server = createHttps({ cert: leaf.pem, key: leaf.key }, app)
  const proxy = await newSessionProxy({ tap: true, port: await listening(server) })
  const { at, running } = await startProxyHttp(proxy, 'wiki.example.com=wiki')
  const file = join(newCli().home, 'app-ca.pem')
  writeFileSync(file, ca.pem)
  const asked = curl(at, '--cacert', file, 'https://wiki.example.com/there')
  await answerIn(running, proxy.front.person)
  const { body, status, told } = await asked
  expect({ status, told }).toEqual({ status: '200 200', told: '' })
  expect(JSON.parse(body).slice(0, 3)).toEqual(['GET', 'wiki.example.com', '/there'])
  expect(proxy).toMatchObject({ faults: [], sessions: ['app/wiki*'] })
})

test('who says no in the browser: 403 and the words for it, by either way', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await listening(createHttp(app)) })
  const { at, running } = await startProxyHttp(proxy)
  const asked = curl(at, 'https://wiki/')
  await answerIn(running, proxy.front.person, 'no')
  expect(await asked).toMatchObject({ status: '000 403', told: expect.stringContaining('403') })
  expect(proxy.sessions).toEqual([])
})

test('what leads to no resource, and what is no request for a forward proxy, is told; nothing is dialled', async () => {
  const proxy = await newSessionProxy({ port: await listening(createHttp(app)) })
  const { at, port } = await startProxyHttp(proxy)
  expect((await curl(at, 'https://example.com/')).status).toBe('000 403')
  expect(await curl(at, 'http://web-1/')).toMatchObject({
    status: '403 000',
    body: 'web-1 leads to no resource here. These do: wiki, wiki.localhost.\n',
  })
  const say = async (head: string, answer: RegExp) => {
    const wire = dial(port)
    wire.send(head)
    await wire.until(answer)
    wire.socket.destroy()
  }
  await say('CONNECT wiki HTTP/1.1\r\nHost: wiki\r\n\r\n', /^HTTP\/1\.1 400 /)
  await say(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`, /^HTTP\/1\.1 400 [\s\S]*This is a forward proxy/)
  await say('GET ftp://wiki/ HTTP/1.1\r\nHost: wiki\r\n\r\n', /^HTTP\/1\.1 400 /)
  await say('GET /proxy.pac HTTP/1.1\r\nHost: evil.example\r\n\r\n', /^HTTP\/1\.1 400 /)
  await say(`GET /proxy.pac HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`, /\["wiki","wiki\.localhost"\]/)
  expect(proxy).toMatchObject({ faults: [], sessions: [] })
})

test('an app that breaks off: 502, and the next request works', async () => {
  let breaks = true
  const server = createHttp((asked, reply) => {
    if (!breaks) return void app(asked, reply)
    breaks = false
    asked.socket.destroy()
  })
  const proxy = await newSessionProxy({ port: await listening(server) })
  const { at } = await startProxyHttp(proxy)
  expect(await curl(at, 'http://wiki/')).toMatchObject({ status: '502 000', body: 'wiki ended the connection.\n' })
  expect((await curl(at, 'http://wiki/')).status).toBe('200 000')
})

test('Chromium by its list of hosts: the app by it, all else without it', async (ctx) => {
  requireChromium(ctx)
  const proxy = await newSessionProxy({ port: await listening(createHttp(app)) })
  const { at, port } = await startProxyHttp(proxy)
  const elsewhere = await listening(createHttp((_, reply) => void reply.end('straight')))
  const browser = await openBrowser([`--proxy-pac-url=${at}/proxy.pac`])
  onTestFinished(() => browser?.close())
  const page = await (browser as NonNullable<typeof browser>).newPage()
  await page.goto('http://wiki/page')
  expect(await page.textContent('body')).toContain('["GET","wiki","/page"')
  await page.goto(`http://127.0.0.1:${elsewhere}/`)
  expect(await page.textContent('body')).toBe('straight')
  expect(port).toBeGreaterThan(0)
  expect(proxy).toMatchObject({ faults: [], sessions: expect.arrayContaining(['app/wiki']) })
})

const usage: [args: string[], state: string, hint: string][] = [
  [['a=b=c'], 'a=b=c is neither NAME nor HOST=NAME', 'write wiki, or wiki.example.com=wiki'],
  [['a/b=wiki'], 'a/b=wiki is neither NAME nor HOST=NAME', 'write wiki, or wiki.example.com=wiki'],
  [['wiki', 'x=wiki'], 'wiki is named twice', 'name each once, with --count=N'],
  [['--count=2'], '--count is given without names', 'name the apps that one tap is to open'],
  [['wiki', '--port=0'], '0 is not a port', 'give a number from 1 to 65535'],
]

test.each(usage)('%j: exit 2', async (args, state, hint) => {
  expect(await newCli().run(['proxy', 'http', ...args])).toEqual({
    code: 2,
    stdout: '',
    stderr: `sallyport: error: Cannot start the local proxy: ${state}\nhint: ${hint}\n`,
  })
})

test('an app that no role reaches is told before anything listens', async () => {
  const cli = await signedIn((await newSessionProxy()).front)
  expect(await cli.run(['proxy', 'http', 'wikis'])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('did you mean wiki?'),
  })
})
