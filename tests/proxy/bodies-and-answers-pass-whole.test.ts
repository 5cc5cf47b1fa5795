import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:https'
import { expect, test } from 'vitest'
import { ask, dial, edgeThat, head, rawEdge, startProxy, until } from './proxy.ts'

const hashOf = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

const hashingEdge = () =>
  edgeThat((request, response) => {
    const hash = createHash('sha256')
    const { 'content-length': length = 'none', 'transfer-encoding': coding = 'none', expect = 'none' } = request.headers
    request.on('data', (part: Buffer) => hash.update(part))
    request.on('end', () => response.end(`${length} ${coding} ${expect} ${hash.digest('hex')}`))
  })

const largest = 256 * 1024
const bytes = randomBytes(largest)
  .toString('latin1')
  .replaceAll(/[^a-z]/g, 'x')

test('a body of the largest size passes with its length, and chunked', async () => {
  const proxy = await startProxy({ edge: await hashingEdge() })
  const sized = await ask(proxy, '/v1/taps', {
    method: 'POST',
    headers: { 'Content-Length': `${largest}` },
    body: bytes,
  })
  expect(sized.body).toBe(`${largest} none none ${hashOf(bytes)}`)
  const chunked = { 'Transfer-Encoding': 'chunked' }
  const streamed = await ask(proxy, '/v1/taps', { method: 'POST', headers: chunked, body: bytes })
  expect(streamed.body).toBe(`none chunked none ${hashOf(bytes)}`)
  const none = await ask(proxy, '/v1/taps', { method: 'POST' })
  expect(none.body).toContain(hashOf(''))
})

test('one byte more is 413, which its sender gets to read, announced or not', async () => {
  const proxy = await startProxy({ edge: await hashingEdge() })
  const body = `${bytes}x`
  const sized = await ask(proxy, '/v1/taps', { method: 'POST', headers: { 'Content-Length': `${body.length}` }, body })
  expect(sized.status).toBe(413)
  const headers = { 'Transfer-Encoding': 'chunked' }
  const chunked = await ask(proxy, '/v1/taps', { method: 'POST', headers, body: body.repeat(8) })
  expect(chunked.status).toBe(413)
  await expect.poll(proxy.codes).toEqual(['body_too_large', 'body_too_large'])
})

test('100-continue is answered here, and not for a body that would be refused', async () => {
  const proxy = await startProxy({ edge: await hashingEdge() })
  const send = (length: number) =>
    new Promise<[number | undefined, boolean]>((done, fail) => {
      let continued = false
      const headers = { Expect: '100-continue', 'Content-Length': length }
      const where = { port: proxy.port, ca: proxy.ca, host: '127.0.0.1', servername: 'localhost', path: '/v1/taps' }
      const asking = request({ ...where, method: 'POST', headers, agent: false }, (answer) => {
        answer.resume().on('end', () => done([answer.statusCode, continued]))
        asking.destroy()
      })
      asking.on('continue', () => {
        continued = true
        asking.end('x'.repeat(length))
      })
      asking.on('error', fail).flushHeaders()
    })
  expect(await send(10)).toEqual([200, true])
  expect(await send(largest + 1)).toEqual([413, false])
})

test('HEAD, 204 and 304 have no body and keep the connection', async () => {
  const edge = await edgeThat(({ method, url = '' }, response) => {
    const status = Number(url.slice('/v1/'.length))
    response.writeHead(status, { ETag: '"1"', ...(method === 'HEAD' ? { 'Content-Length': 1_000_000 } : {}) }).end()
  })
  const wire = await dial(await startProxy({ edge }))
  for (const line of ['HEAD /v1/200', 'GET /v1/204', 'GET /v1/304']) {
    const before = wire.said().length
    wire.send(head(`${line} HTTP/1.1`, 'Host: localhost'))
    await until(() => wire.said().slice(before).endsWith('\r\n\r\n'))
    const answer = wire.said().slice(before)
    expect(answer).toContain(`HTTP/1.1 ${line.slice(-3)} `)
    expect(answer).toContain('ETag: "1"')
    if (line.startsWith('HEAD')) expect(answer).toContain('Content-Length: 1000000')
    else expect(answer).not.toMatch(/chunked/i)
  }
})

test('an answer of 50 MB passes whole to a client that reads slowly, and a head alone passes at once', async () => {
  const part = randomBytes(1024 * 1024)
  const hash = createHash('sha256')
  for (let i = 0; i < 50; i++) hash.update(part)
  let release = () => {}
  const edge = await edgeThat(async (_, response) => {
    response.flushHeaders()
    await new Promise<void>((done) => {
      release = done
    })
    for (let i = 0; i < 50; i++) {
      if (!response.write(part)) await new Promise((done) => response.once('drain', done))
    }
    response.end()
  })
  const proxy = await startProxy({ edge })
  const seen = createHash('sha256')
  await new Promise<void>((done, fail) => {
    const where = { port: proxy.port, ca: proxy.ca, host: '127.0.0.1', servername: 'localhost', path: '/v1/x' }
    const asking = request({ ...where, agent: false }, (answer) => {
      release()
      answer.on('data', (bytes: Buffer) => {
        seen.update(bytes)
        if (Math.random() < 0.01) {
          answer.pause()
          setTimeout(() => answer.resume(), 5)
        }
      })
      answer.on('end', done).on('error', fail)
    })
    asking.on('error', fail).end()
  })
  expect(seen.digest('hex')).toBe(hash.digest('hex'))
})

test('a head of very many fields loses none', async () => {
  let seen = ''
  const edge = await rawEdge((socket) =>
    socket.setEncoding('latin1').on('data', (part: string) => {
      seen += part
      if (seen.endsWith('\r\n\r\n')) socket.end('HTTP/1.1 204 No Content\r\n\r\n')
    }),
  )
  const wire = await dial(await startProxy({ edge }))
  wire.send(head('GET /v1/x HTTP/1.1', 'Host: localhost', ...Array(2500).fill('a: b'), 'Connection: close'))
  await wire.closed
  expect(wire.said()).toMatch(/^HTTP\/1\.1 204 /)
  expect(seen.match(/\r\na: b/g)).toHaveLength(2500)
})

test('other expectations and upgrades are refused', async () => {
  const proxy = await startProxy({ edge: await hashingEdge() })
  expect((await ask(proxy, '/v1/x', { headers: { Expect: 'the unexpected' } })).status).toBe(417)
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }
  expect((await ask(proxy, '/v1/x', { headers: upgrade })).status).toBe(501)
  await expect.poll(proxy.codes).toEqual(['expectation_unknown', 'upgrade_unsupported'])
})
