/** Two readers of one stream of bytes must see the same requests: what could be read in two ways is refused. */
import { expect, test } from 'vitest'
import { dial, edgeThat, head, startProxy } from './proxy.ts'

interface Seen {
  readonly line: string
  readonly body: string
}

async function proxyAndSeen() {
  const seen: Seen[] = []
  const edge = await edgeThat((request, response) => {
    let body = ''
    request.setEncoding('latin1').on('data', (part: string) => {
      body += part
    })
    request.on('end', () => {
      seen.push({ line: `${request.method} ${request.url}`, body })
      response.end('ok')
    })
  })
  return { proxy: await startProxy({ edge }), seen }
}

const post = (...lines: string[]) => head('POST /v1/x HTTP/1.1', 'Host: localhost', ...lines)
const hidden = head('GET /v1/hidden HTTP/1.1', 'Host: localhost')

const refused: readonly (readonly [why: string, bytes: string, code: string])[] = [
  [
    'a length beside a coding',
    `${post('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n${hidden}`,
    'head_malformed',
  ],
  [
    'a coding beside a length',
    `${post('Transfer-Encoding: chunked', 'Content-Length: 4')}0\r\n\r\n${hidden}`,
    'head_malformed',
  ],
  ['two lengths', `${post('Content-Length: 0', 'Content-Length: 40')}${hidden}`, 'head_malformed'],
  ['a list of lengths', `${post('Content-Length: 0, 0')}${hidden}`, 'head_malformed'],
  ['a signed length', `${post('Content-Length: +4')}abcd${hidden}`, 'head_malformed'],
  ['an unknown coding', `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${hidden}`, 'coding_unknown'],
  ['chunked twice', `${post('Transfer-Encoding: chunked, chunked')}0\r\n\r\n`, 'head_malformed'],
  ['a coding under chunked', `${post('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`, 'coding_unknown'],
  ['a space before the colon', `${post('Transfer-Encoding : chunked')}0\r\n\r\n${hidden}`, 'head_malformed'],
  ['a folded field', `${post('X: 1\r\n Transfer-Encoding: chunked')}0\r\n\r\n`, 'head_malformed'],
  ['a bare LF', 'POST /v1/x HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n', 'head_malformed'],
  ['a bare CR in a value', post('X: a\rTransfer-Encoding: chunked', 'Content-Length: 0'), 'head_malformed'],
  ['NUL in a value', post('X: a\u0000b', 'Content-Length: 0'), 'head_malformed'],
  [
    'a coding from HTTP/1.0',
    `${head('POST /v1/x HTTP/1.0', 'Host: localhost', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    'framing_ambiguous',
  ],
  [
    'another server in the target',
    head('GET http://localhost/v1/x HTTP/1.1', 'Host: localhost'),
    'proxy_credential_missing',
  ],
  ['an asterisk', head('OPTIONS * HTTP/1.1', 'Host: localhost'), 'target_not_a_path'],
  ['a tunnel', head('CONNECT localhost:22 HTTP/1.1', 'Host: localhost'), 'head_malformed'],
]

test.each(refused)('%s is refused', async (_, bytes, code) => {
  const { proxy, seen } = await proxyAndSeen()
  const wire = await dial(proxy)
  wire.send(bytes)
  wire.socket.end()
  await wire.closed
  expect(wire.said()).toMatch(/^HTTP\/1\.1 (400|407|501) /)
  await expect.poll(proxy.codes).toContain(code)
  expect(seen).toEqual([])
})

test('a body that looks like a request stays a body', async () => {
  const { proxy, seen } = await proxyAndSeen()
  const wire = await dial(proxy)
  for (const method of ['POST', 'GET', 'DELETE']) {
    const line = `${method} /v1/x HTTP/1.1`
    wire.send(`${head(line, 'Host: localhost', `Content-Length: ${hidden.length}`)}${hidden}`)
    const chunked = `${hidden.length.toString(16)};ext=1\r\n${hidden}\r\n0\r\nTrailer: x\r\n\r\n`
    wire.send(`${head(line, 'Host: localhost', 'Transfer-Encoding: Chunked')}${chunked}`)
  }
  wire.send(head('GET /v1/last HTTP/1.1', 'Host: localhost', 'Connection: close'))
  await wire.closed
  expect(wire.said().match(/HTTP\/1\.1 200 /g)).toHaveLength(7)
  const lines = ['POST /v1/x', 'POST /v1/x', 'GET /v1/x', 'GET /v1/x', 'DELETE /v1/x', 'DELETE /v1/x']
  const expected = [...lines.map((line) => ({ line, body: hidden })), { line: 'GET /v1/last', body: '' }]
  expect(seen).toEqual(expect.arrayContaining(expected))
  expect(seen).toHaveLength(7)
})

test('a chunk that does not end where it says takes the connection to the edge with it', async () => {
  const { proxy, seen } = await proxyAndSeen()
  const wire = await dial(proxy)
  wire.send(`${post('Transfer-Encoding: chunked')}4\r\nabcdefgh\r\n0\r\n\r\n${hidden}`)
  await wire.closed
  expect(seen).toEqual([])
  await expect.poll(() => proxy.codes()[0]).toBe('request_malformed')
})

test('requests that nobody waits for are bounded', async () => {
  const edge = await edgeThat(() => undefined)
  const proxy = await startProxy({ edge, limits: { pipelined: 4 } })
  const wire = await dial(proxy)
  wire.send(head('GET /v1/x HTTP/1.1', 'Host: localhost').repeat(5))
  await wire.closed
  await expect.poll(proxy.codes).toContain('too_many_pipelined')
})
