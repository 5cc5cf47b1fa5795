/** Where the records of TLS are cut says nothing: a first request is the same in one, in two, and in one for each byte. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { edgeThat, head, startProxy, until } from '../proxy.ts'
import { cutting } from './records.ts'
import { basic, connectHead, established, wordOf, wordWorld } from './words.ts'

const cutAt = (text: string, at: number) => [text.slice(0, at), text.slice(at)]

test('a CONNECT in two records, cut at each place', async () => {
  const world = await wordWorld()
  const asked = connectHead([])
  for (let at = 1; at < asked.length; at++) {
    const client = await cutting(world.proxy)
    await client.together(cutAt(asked, at))
    await client.closed
    expect(client.said(), `cut at ${at}`).toMatch(/^HTTP\/1\.1 407 /)
  }
}, 60_000)

test('a word’s CONNECT in a record for each byte opens, and so do its tunnel’s bytes pass', async () => {
  const world = await wordWorld()
  const client = await cutting(world.proxy)
  await client.together([...connectHead([basic(await wordOf(world))])])
  await until(() => client.said() === established)
  const first = Array.from({ length: 500 }, (_, at) => String(at % 10))
  await client.together(first)
  await until(() => client.said() === established + first.join(''))
  expect(world.upstream.connections[0]?.said()).toBe(first.join(''))
})

test.each<[string, (asked: string) => readonly string[]]>([
  ['in the same record', (asked) => [`${asked}early`]],
  ['in the next', (asked) => [asked, 'early']],
  ['in one for each byte', (asked) => [...`${asked}early`]],
  ['in a record with the end of the head', (asked) => [asked.slice(0, -1), `${asked.slice(-1)}early`]],
  ['a byte of them with the head, and the others behind', (asked) => [`${asked}e`, ...'arly']],
])('bytes before the answer, %s: nothing of them goes anywhere', async (_, pieces) => {
  const world = await wordWorld()
  const client = await cutting(world.proxy)
  await client.together(pieces(connectHead([basic(await wordOf(world))])))
  await client.closed
  expect(client.said()).not.toContain('early')
  await expect.poll(world.proxy.codes).toContain('bytes_too_early')
  expect(world.upstream.connections.map(({ said }) => said()).join('')).toBe('')
})

const sha = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex')

const hashing = () =>
  edgeThat((request, response) => {
    const sum = createHash('sha256')
    request.on('data', (piece: Buffer) => sum.update(piece)).once('end', () => response.end(`${sum.digest('hex')}\n`))
  })

const posting = (port: number, body: string) =>
  head('POST /v1/x HTTP/1.1', `Host: localhost:${port}`, `Content-Length: ${body.length}`) + body

/** The last lines of the bodies, in turn. */
const sums = (said: string) => said.match(/\b[0-9a-f]{64}\b/g) ?? []

test.each<[string, (head: string, body: string) => readonly string[]]>([
  ['a record for each byte', (top, body) => [...top, ...body]],
  ['a body in a record for each byte', (top, body) => [top, ...body]],
  ['a body that begins with its head', (top, body) => [top + body.slice(0, 1), ...body.slice(1)]],
  ['a first record of one byte', (top, body) => [top.slice(0, 1), top.slice(1) + body]],
  ['a head that ends within its last line', (top, body) => [top.slice(0, -1), top.slice(-1) + body]],
  ['records of 7 bytes', (top, body) => (top + body).match(/[\s\S]{1,7}/g) ?? []],
])('a POST to the API: %s', async (_, pieces) => {
  const proxy = await startProxy({ edge: await hashing() })
  const body = Array.from({ length: 600 }, (_byte, at) => String.fromCharCode(32 + (at % 90))).join('')
  const asked = posting(proxy.port, body)
  const client = await cutting(proxy)
  await client.together(pieces(asked.slice(0, -body.length), body))
  await until(() => sums(client.said()).length > 0)
  expect(sums(client.said())).toEqual([sha(body)])
})

test('two requests behind one another in small records are answered in turn, each whole', async () => {
  const proxy = await startProxy({ edge: await hashing() })
  const bodies = ['a'.repeat(300), 'b'.repeat(300), 'c'.repeat(300)]
  const client = await cutting(proxy)
  await client.together(
    bodies
      .map((body) => posting(proxy.port, body))
      .join('')
      .match(/[\s\S]{1,11}/g) ?? [],
  )
  await until(() => sums(client.said()).length === 3)
  expect(sums(client.said())).toEqual(bodies.map(sha))
})
