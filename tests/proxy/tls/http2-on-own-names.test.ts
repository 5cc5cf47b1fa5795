/** HTTP/2 under the proxy's own names: the same requests, checks and filters as over HTTP/1.1. */
import { execFile } from 'node:child_process'
import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from 'node:http2'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { atEnd, dial, edgeThat, local, type Reachable, startProxy, until } from '../proxy.ts'
import { filesOf } from '../routes/routes.ts'

interface Asked {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly raw: readonly string[]
  readonly body: string
}

async function serving(options: Partial<Parameters<typeof startProxy>[0]> = {}) {
  const asked: Asked[] = []
  let open = 0
  const edge = await edgeThat((request, response) => {
    open++
    response.once('close', () => open--)
    let body = ''
    request.setEncoding('latin1').on('data', (part: string) => {
      body += part
    })
    request.on('end', () => {
      const { url = '', method = '', headers, rawHeaders: raw } = request
      asked.push({ url, method, headers, raw, body })
      if (url.startsWith('/v1/hang')) return
      response.setHeader('Set-Cookie', ['a=1', 'b=2'])
      response.setHeader('Alt-Svc', 'h3=":443"')
      if (url.startsWith('/v1/broken')) {
        response.writeHead(200, { 'Content-Length': 10 }).write('half')
        return void setTimeout(() => response.destroy(), 50)
      }
      response.writeHead(url === '/v1/none' ? 204 : 200)
      response.end(method === 'HEAD' || url === '/v1/none' ? undefined : `${method} ${body.length}`)
    })
  })
  const names = { ...local, dns: ['proxy.test', 'localhost'] }
  const proxy = await startProxy({ edge, publicUrl: 'https://access.test', names, limits: { graceMs: 50 }, ...options })
  return { asked, proxy, openAtEdge: () => open }
}

function session({ port, ca }: Reachable, servername = 'localhost'): ClientHttp2Session {
  const opened = connect(`https://localhost:${port}`, { ca, servername, checkServerIdentity: () => undefined })
  opened.on('error', () => undefined)
  atEnd(() => opened.destroy())
  return opened
}

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  readonly rst: number
}

function ask(client: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string): Promise<Answer> {
  return new Promise((done) => {
    const stream = client.request(headers, { endStream: body === undefined })
    let [status, given, said]: [number | undefined, Record<string, unknown>, string] = [undefined, {}, '']
    stream.on('response', (got) => {
      status = got[':status']
      given = { ...got }
    })
    stream.setEncoding('latin1').on('data', (part: string) => {
      said += part
    })
    stream.on('error', () => undefined)
    stream.on('close', () => done({ status, headers: given, body: said, rst: stream.rstCode ?? 0 }))
    if (body !== undefined) stream.end(body)
  })
}

test('a request passes as over HTTP/1.1: the public host, no cookie, no claim of the client, one address', async () => {
  const { asked, proxy } = await serving()
  const client = session(proxy)
  const answer = await ask(client, {
    ':path': '/v1/x?y=1',
    cookie: 'a=1',
    'x-forwarded-for': '192.0.2.1',
    forwarded: 'for=192.0.2.1',
    te: 'trailers',
    'x-own': 'kept',
  })
  expect(answer).toMatchObject({ status: 200, body: 'GET 0' })
  expect(answer.headers['set-cookie']).toBeUndefined()
  expect(answer.headers['alt-svc']).toBeUndefined()
  expect(asked).toHaveLength(1)
  const [{ url, headers, raw }] = asked as [Asked]
  expect(url).toBe('/v1/x?y=1')
  expect(headers).toMatchObject({ host: 'access.test', 'x-forwarded-for': '127.0.0.1', 'x-own': 'kept' })
  for (const name of ['cookie', 'forwarded', 'te']) expect(headers[name]).toBeUndefined()
  expect(raw.filter((name) => name.startsWith(':'))).toEqual([])
})

test('under the public name cookies pass both ways, as one field there', async () => {
  const { asked, proxy } = await serving()
  const answer = await ask(session(proxy, 'access.test'), {
    ':path': '/account',
    ':authority': 'access.test',
    cookie: ['a=1', 'b=2'],
  })
  expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
  expect(asked[0]?.headers['cookie']).toBe('a=1; b=2')
})

test.each([
  ['with its length', { 'content-length': 5 }],
  ['without', {}],
])('a body %s passes whole', async (_, more) => {
  const { asked, proxy } = await serving()
  const answer = await ask(session(proxy), { ':path': '/v1/x', ':method': 'POST', ...more }, 'hello')
  expect(answer.body).toBe('POST 5')
  expect(asked[0]?.body).toBe('hello')
})

test('HEAD, 204 and the pages of the public address', async () => {
  const { proxy } = await serving()
  const client = session(proxy)
  expect(await ask(client, { ':path': '/v1/x', ':method': 'HEAD' })).toMatchObject({ status: 200, body: '' })
  expect(await ask(client, { ':path': '/v1/none' })).toMatchObject({ status: 204, body: '' })
  const page = await ask(client, { ':path': '/account' })
  expect(page).toMatchObject({ status: 307 })
  expect(page.headers['location']).toBe('https://access.test/account')
})

test.each(['evil.test', 'localhost.evil.test', 'localhost.'])(
  ':authority %j is 421, whatever the hello named',
  async (authority) => {
    const { asked, proxy } = await serving()
    for (const servername of ['localhost', 'access.test']) {
      const answer = await ask(session(proxy, servername), { ':path': '/v1/x', ':authority': authority })
      expect(answer.status).toBe(421)
    }
    expect(asked).toEqual([])
    await expect.poll(proxy.codes).toEqual(['host_unknown', 'host_unknown'])
  },
)

test('a Host that differs from :authority is 400; one that is the same is none', async () => {
  const { asked, proxy } = await serving()
  const client = session(proxy)
  const path = { ':path': '/v1/x', ':authority': 'localhost' }
  expect((await ask(client, { ...path, host: 'access.test' })).status).toBe(400)
  expect((await ask(client, { ...path, host: 'localhost' })).status).toBe(200)
  expect((await ask(client, { ':path': '/v1/x', host: 'localhost' })).status).toBe(200)
  expect(asked).toHaveLength(2)
})

test('an :authority that could be read in two ways is not read at all', async () => {
  const { asked, proxy } = await serving()
  const client = session(proxy)
  for (const authority of ['user@localhost', 'localhost/', 'a b', '']) {
    const { status } = await ask(client, { ':path': '/v1/x', ':authority': authority })
    expect([undefined, 400, 421]).toContain(status)
  }
  expect(asked).toEqual([])
})

test('another scheme and CONNECT are refused on their stream alone', async () => {
  const { asked, proxy } = await serving()
  const client = session(proxy)
  const { NGHTTP2_PROTOCOL_ERROR } = constants
  expect(await ask(client, { ':path': '/v1/x', ':scheme': 'http' })).toMatchObject({ rst: NGHTTP2_PROTOCOL_ERROR })
  expect(await ask(client, { ':method': 'CONNECT', ':authority': 'a.test:443' })).toMatchObject({ status: 407, rst: 0 })
  expect((await ask(client, { ':path': '/v1/x' })).status).toBe(200)
  expect(asked).toHaveLength(1)
})

test('a head that is too large is 431, and a body that is too large 413', async () => {
  const { asked, proxy } = await serving({ limits: { headBytes: 4096, bodyBytes: 1000, graceMs: 50 } })
  const post = { ':path': '/v1/x', ':method': 'POST' }
  expect((await ask(session(proxy), post, 'x'.repeat(5000))).status).toBe(413)
  const large = await ask(session(proxy), { ':path': '/v1/x', 'x-large': 'x'.repeat(6000) })
  expect([431, undefined]).toContain(large.status)
  expect(asked).toEqual([])
})

test('an answer that breaks off never looks complete', async () => {
  const { proxy } = await serving()
  const answer = await ask(session(proxy), { ':path': '/v1/broken' })
  expect(answer.rst).not.toBe(constants.NGHTTP2_NO_ERROR)
  await expect.poll(proxy.codes).toContain('answer_broke_off')
})

test('beyond the limit of streams a client may ask again, and the others go on', async () => {
  const { proxy, asked } = await serving({ limits: { pipelined: 4, graceMs: 50 } })
  const client = session(proxy)
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(client, { ':path': '/v1/x' })))
  for (const { status, rst } of answers) expect(status === 200 || rst === constants.NGHTTP2_REFUSED_STREAM).toBe(true)
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(4)
  expect(asked.length).toBe(answers.filter(({ status }) => status === 200).length)
  await expect.poll(proxy.codes).toEqual([])
})

/** A frame (RFC 9113 section 4.1). */
const frame = (type: number, flags: number, stream: number, payload: Uint8Array) => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}
const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
/** GET, https, and by their names' numbers a path and an authority (RFC 7541). */
const getting = (path: string) =>
  Buffer.concat([Buffer.from([0x82, 0x87, 0x04]), text(path), Buffer.from([0x01]), text('localhost')])
const opening = (stream: number) => frame(1, 5, stream, getting('/v1/hang'))
const resetting = (stream: number) => frame(3, 0, stream, Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]))
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const settings = frame(4, 0, 0, new Uint8Array())

test.each<[string, (count: number) => Buffer]>([
  // Of a head that never ends (CVE-2024-27316): an empty literal field, again and again.
  [
    'CONTINUATION',
    (count) => (count === 0 ? frame(1, 0, 1, Buffer.from([0x82])) : frame(9, 0, 1, Buffer.from([0, 1, 0x78, 1, 0x79]))),
  ],
  ['SETTINGS', () => settings],
  ['PING', () => frame(6, 0, 0, new Uint8Array(8))],
])('a flood of %s ends the connection', async (_, make) => {
  const { asked, proxy } = await serving({ limits: { headMs: 2000, graceMs: 50 } })
  const wire = await dial(proxy, { ALPNProtocols: ['h2'] })
  // What it answers is not read.
  wire.socket.pause()
  let isClosed = false
  void wire.closed.then(() => {
    isClosed = true
  })
  wire.socket.on('error', () => undefined)
  wire.socket.write(Buffer.concat([preface, settings]))
  for (let count = 0; count < 200_000 && !isClosed && !wire.socket.destroyed; count++) {
    const goesOn = wire.socket.write(make(count))
    if (!goesOn) await Promise.race([new Promise((done) => wire.socket.once('drain', done)), wire.closed])
  }
  wire.socket.resume()
  await wire.closed
  expect(asked).toEqual([])
})

test('who resets what he has asked for, again and again, is let go, and the edge with him', async () => {
  const { asked, proxy, openAtEdge } = await serving()
  const wire = await dial(proxy, { ALPNProtocols: ['h2'] })
  wire.socket.on('error', () => undefined).write(Buffer.concat([preface, settings]))
  for (let stream = 1; stream < 20_000 && !wire.socket.destroyed; stream += 2) {
    wire.socket.write(Buffer.concat([opening(stream), resetting(stream)]))
    if (stream % 100 === 1) await new Promise(setImmediate)
  }
  await wire.closed
  // A hundred at once, and ten a second.
  expect(asked.length).toBeLessThan(300)
  await until(() => openAtEdge() === 0, 20_000)
})

test('so it is with one who waits until each has reached the edge', async () => {
  const { asked, proxy } = await serving()
  const wire = await dial(proxy, { ALPNProtocols: ['h2'] })
  wire.socket.on('error', () => undefined).write(Buffer.concat([preface, settings]))
  for (let stream = 1; stream < 6000 && !wire.socket.destroyed; stream += 2) {
    const before = asked.length
    wire.socket.write(opening(stream))
    await until(() => asked.length > before || wire.socket.destroyed, 20_000)
    wire.socket.write(resetting(stream))
  }
  expect(wire.socket.destroyed).toBe(true)
})

test('who leaves one page for another keeps his connection: what is too many for the moment he may ask again', async () => {
  const { proxy } = await serving({ limits: { pipelined: 4, graceMs: 50 } })
  const wire = await dial(proxy, { ALPNProtocols: ['h2'] })
  const [first, second] = [
    [1, 3, 5, 7],
    [9, 11, 13, 15],
  ]
  const frames = [...first.map(opening), ...first.map(resetting), ...second.map(opening)]
  wire.socket.write(Buffer.concat([preface, settings, ...frames]))
  const pinged = frame(6, 0, 0, Buffer.from('answered'))
  wire.socket.write(pinged)
  await until(() => wire.said().includes('answered'))
  await expect.poll(proxy.codes).toContain('client_gone')
  expect(proxy.codes()).not.toContain('too_many_pipelined')
  expect(wire.socket.destroyed).toBe(false)
})

test('a client that goes in the middle leaves nothing at the edge', async () => {
  const { asked, proxy, openAtEdge } = await serving()
  const client = session(proxy)
  const hanging = ask(client, { ':path': '/v1/hang' })
  await until(() => asked.length === 1)
  expect(openAtEdge()).toBe(1)
  client.destroy()
  await hanging
  await until(() => openAtEdge() === 0, 20_000)
  await expect.poll(proxy.codes).toEqual(['client_gone'])
})

test('a client that opens a connection and asks for nothing has the deadline of a head', async () => {
  const { proxy } = await serving({ limits: { headMs: 300, graceMs: 50 } })
  const wire = await dial(proxy, { ALPNProtocols: ['h2'] })
  wire.socket.write(Buffer.concat([preface, settings]))
  await wire.closed
  await expect.poll(proxy.codes).toEqual(['head_too_slow'])
})

test('curl speaks it', async () => {
  const { proxy } = await serving()
  const { ca } = filesOf({ ca: proxy.ca })
  const args = ['-sS', '--http2', '--cacert', ca, '-w', ' %{http_version} %{http_code}', '--data', 'hello']
  const { stdout } = await promisify(execFile)('curl', [...args, `https://localhost:${proxy.port}/v1/x`])
  expect(stdout).toBe('POST 5 2 200')
})
