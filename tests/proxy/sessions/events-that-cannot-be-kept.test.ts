/** A disk that takes no event: who is in strict mode waits until it does, others are not kept out while memory has room. */
import { mkdirSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Json } from '../../../core/intent.ts'
import { spoolFolder } from '../../../proxy/spool.ts'
import { newPerson, type Person, putDocuments } from '../../people.ts'
import { until } from '../proxy.ts'
import { eventsOf, grantFor, newWorld, openSession, Tunnel } from './world.ts'

const strictRole: Json = {
  kind: 'role',
  version: 'v7',
  metadata: { name: 'strict' },
  spec: { options: { lock: 'strict' } },
}

test('strict is refused and told why, best effort opens; once the edge has all of it both open', async (context) => {
  if (process.platform === 'win32') return context.skip('Windows keeps what is open')
  const world = await newWorld({ tap: false })
  const { admin, edge, home, lea, line, proxy } = world
  await putDocuments(admin, [strictRole])
  const sam = await newPerson(admin, 'Sam', ['access', 'db-reader', 'strict'])
  await proxy.serving.trust.ask()
  const connecting = async (person: Person) => (await Tunnel.open(proxy)).connect(await grantFor(world, person), person)
  await until(() => proxy.serving.events.waiting === 0)
  line.refuses = (path) => path === '/v1/proxy/events'
  // As a disk that was taken away.
  rmSync(spoolFolder(home), { recursive: true })
  expect((await connecting(lea)).status).toBe(200)
  const { status, json } = await connecting(sam)
  expect(status).toBe(503)
  expect(json['message']).toContain('cannot keep on its disk')
  expect((await connecting(lea)).status).toBe(200)
  expect(proxy.log.map(({ message }) => message)).toContain('events cannot be kept on the disk')

  mkdirSync(spoolFolder(home))
  line.refuses = () => false
  await until(() => proxy.serving.events.waiting === 0, 20_000)
  await openSession(world, sam)
  await until(() => eventsOf(edge).length === 4, 20_000)
  expect(eventsOf(edge).map(({ kind, code }) => `${kind} ${code ?? ''}`.trim())).toEqual([
    'session.start',
    'session.refuse unavailable',
    'session.start',
    'session.start',
  ])
})
