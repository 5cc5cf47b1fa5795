/** CONNECT over TLS with a word: for clients that know forward proxies and can prove no key. One word, one tunnel, bytes as they are. */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { lockOn, putDocuments } from '../../people.ts'
import { until } from '../proxy.ts'
import { startDatabase } from '../sessions/database.ts'
import { askOf, rawKinds, samples, sha } from '../sessions/kinds.ts'
import { eventsOf } from '../sessions/world.ts'
import { answerIn, basic, connecting, established, wordOf, wordWorld } from './words.ts'

const detailOf = (detail: unknown) => JSON.parse(String(detail)).said as string

test.each<[string, Parameters<typeof connecting>[2]]>([
  ['HTTP/1.1', {}],
  ['HTTP/1.0', { version: '1.0' }],
  ['no protocol named', { alpn: [] }],
  ['another port', { target: 'wiki:80' }],
])('%s: it opens one tunnel, and the audit log says how', async (_, how) => {
  const world = await wordWorld()
  const word = await wordOf(world)
  const wire = await connecting(world.proxy, [basic(word)], how)
  await until(() => wire.said() === established)
  wire.socket.write('hello')
  await until(() => wire.said() === `${established}hello`)
  const again = await connecting(world.proxy, [basic(word)], how)
  await again.closed
  expect(answerIn(again.said())).toMatchObject({ status: 403, error: 'grant_invalid' })
  expect(world.upstream.connections).toHaveLength(1)
  await until(() => eventsOf(world.edge).length === 2)
  const [started, refused] = eventsOf(world.edge)
  expect(detailOf(started?.['detail'])).toContain('"bearer":true')
  // Whoever shows a word once more may have stolen it.
  expect(refused).toMatchObject({ kind: 'session.refuse', code: 'grant_invalid' })
  expect(detailOf(refused?.['detail'])).toContain('word_used')
})

test.for(rawKinds)('to a %s', async (kind) => {
  const world = await wordWorld({ kind })
  const word = await wordOf(world, askOf(world, kind))
  const wire = await connecting(world.proxy, [basic(word)], { target: `${samples[kind].name}:443` })
  wire.socket.on('error', () => undefined)
  await until(() => wire.said() === established)
  wire.socket.write('hello')
  await until(() => wire.said().endsWith('hello'))
})

test('of fifty that show it together, one is in', async () => {
  const world = await wordWorld()
  const word = await wordOf(world)
  const wires = await Promise.all(Array.from({ length: 50 }, () => connecting(world.proxy, [basic(word)])))
  const isAnswered = (said: string) => said === established || said.endsWith('}')
  await until(() => wires.every(({ said }) => isAnswered(said())), 20_000)
  expect(wires.filter(({ said }) => said() === established)).toHaveLength(1)
  expect(world.upstream.connections).toHaveLength(1)
})

test('a megabyte each way is whole, and the end of one side is not the end of the other', async () => {
  const world = await wordWorld()
  const wire = await connecting(world.proxy, [basic(await wordOf(world))])
  wire.socket.allowHalfOpen = true
  await until(() => wire.said() === established)
  const sent = randomBytes(1 << 20)
  wire.socket.end(sent)
  await wire.closed
  expect(sha(Buffer.from(wire.said().slice(established.length), 'latin1'))).toBe(sha(sent))
})

test('a service that breaks off is a reset, and a client that goes takes its service along', async () => {
  const server = await startDatabase((socket) => socket.once('data', () => socket.resetAndDestroy()))
  const world = await wordWorld({ server })
  const broken = await connecting(world.proxy, [basic(await wordOf(world))])
  await until(() => broken.said() === established)
  broken.socket.write('x')
  expect(await broken.closed).toBe('ECONNRESET')
  const leaving = await connecting(world.proxy, [basic(await wordOf(world))])
  await until(() => leaving.said() === established)
  leaving.socket.destroy()
  await server.connections[1]?.closed
})

test('a lock cuts it', async () => {
  const world = await wordWorld()
  const wire = await connecting(world.proxy, [basic(await wordOf(world))])
  await until(() => wire.said() === established)
  expect((await putDocuments(world.admin, [lockOn({ app: 'wiki' }, 'Closed today.')])).status).toBe(200)
  await wire.closed
  expect(wire.said()).toBe(established)
  await expect.poll(world.proxy.codes).toContain('session_cut')
})
