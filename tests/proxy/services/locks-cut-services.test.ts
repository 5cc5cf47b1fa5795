/** What is allowed no longer ends what a certificate has opened, and nothing opens after. */
import { expect, test } from 'vitest'
import { lockOf, lockOn, putDocuments } from '../../people.ts'
import { putDocuments as put } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { eventsOf, silentPort } from '../sessions/world.ts'
import { certifyFor, databaseOf, dialService, refusalOf, sayTo, serviceWorld } from './services.ts'

test.for([
  ['its user', lockOf('Lea', { message: 'gone' })],
  ['the resource', lockOn({ node: 'web-1' }, 'gone')],
] as const)('a lock on %s resets the session within five seconds', async ([, lock]) => {
  const world = await serviceWorld({ tap: false, askEvery: 2000 })
  const certified = await certifyFor(world, 'web-1')
  const socket = await dialService(world.proxy, { certified, alpn: 'sallyport-ssh' })
  socket.write('ping')
  await new Promise<void>((done) => socket.once('data', () => done()))
  const over = new Promise<string | undefined>((done) =>
    socket.once('error', (error: { code?: string }) => done(error.code)).once('close', () => done(undefined)),
  )
  const begun = Date.now()
  expect((await putDocuments(world.admin, [lock])).status).toBe(200)
  // What was sent must not look complete.
  expect(await over).toBe('ECONNRESET')
  expect(Date.now() - begun).toBeLessThan(5000)
  await until(() => eventsOf(world.edge).length === 2)
  expect(String(eventsOf(world.edge)[1]?.['detail'])).toContain('session_cut')
  expect(await refusalOf(world, { certified, alpn: 'sallyport-ssh' })).toMatchObject({ code: 'session_refused' })
})

test('a lock that arrives while the service is being dialled lets nobody through', async () => {
  const world = await serviceWorld({ tap: false, askEvery: 50 })
  // It accepts and never answers TLS.
  await put(world.admin, databaseOf('redis-1', 'redis', `127.0.0.1:${await silentPort()}`, 'insecure'))
  await world.proxy.serving.trust.ask()
  const certified = await certifyFor(world, 'redis-1')
  const client = await sayTo(world.proxy, { certified, alpn: 'sallyport-redis' })
  await until(() => world.proxy.serving.sessions.count === 1)
  await putDocuments(world.admin, [lockOf('Lea')])
  expect(await client.closed).toBe('')
  await until(() =>
    eventsOf(world.edge).some(({ kind, code }) => kind === 'session.refuse' && code === 'session_refused'),
  )
})
