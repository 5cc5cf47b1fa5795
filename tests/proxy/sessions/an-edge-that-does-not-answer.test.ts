/** A certificate that opens as often as it is shown, where the edge neither answers nor refuses: it is not waited for, and not forgotten. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { call, newPerson, type Person } from '../../people.ts'
import { until } from '../proxy.ts'
import { certify, isOpenedBy, isReady, startDirect } from './certificate.ts'
import { newWorld, type World } from './world.ts'

const seldom = { tap: false, askEvery: 600_000 } as const
const path = '/v1/proxy/snapshot'

/** From now on questions come in, and their answers wait for `speak`. The proxy itself gives up after five seconds. */
function silence({ line }: World) {
  const spoken = Promise.withResolvers<void>()
  line.tamper = async (asked, answer) => {
    if (asked === path) await spoken.promise
    return answer
  }
  return () => spoken.resolve()
}

const endLogin = async (person: Person) =>
  expect((await call(person, 'DELETE', `/v1/me/logins/${String(decodeJwt(person.token)['sid'])}`)).status).toBe(200)

test('it opens while the answer is awaited, though another question was on its way before', async () => {
  const world = await newWorld(seldom)
  const certified = await certify(world)
  const speak = silence(world)
  const asking = world.proxy.serving.trust.ask()
  let isAnswered = false
  void asking.then(() => {
    isAnswered = true
  })
  expect(await isOpenedBy(world.proxy, { certified })).toBe(true)
  expect(isAnswered).toBe(false)
  speak()
  expect(await asking).toBe(true)
})

test('where the late answer says that the login was ended, what has opened meanwhile is cut', async () => {
  const world = await newWorld(seldom)
  const certified = await certify(world)
  await endLogin(world.lea)
  const speak = silence(world)
  const open = await startDirect(world.proxy, { certified })
  await open.until(isReady)
  speak()
  expect(await open.closed).toContain('The login that this certificate comes from was ended')
  expect(await isOpenedBy(world.proxy, { certified })).toBe(false)
})

test('and where the edge was away, with its first answer', async () => {
  const world = await newWorld(seldom)
  const certified = await certify(world)
  await endLogin(world.lea)
  world.line.cut()
  const open = await startDirect(world.proxy, { certified })
  await open.until(isReady)
  world.line.bringBack()
  await world.proxy.serving.trust.ask()
  expect(await open.closed).toContain('The login that this certificate comes from was ended')
})

test('what the proxy hears while it opens counts: the answer that it needs to know the user names the ended login', async () => {
  const world = await newWorld(seldom)
  // The proxy's snapshot is from before him.
  const bob = await newPerson(world.admin, 'Bob', ['access', 'db-reader'])
  const certified = await certify(world, { person: bob })
  await endLogin(bob)
  let questions = 0
  world.line.refuses = (asked) => asked === path && ++questions === 1
  const said = await (await startDirect(world.proxy, { certified })).closed
  expect(questions).toBe(2)
  expect(said).toContain('was ended: sallyport login')
  expect(world.database.connections).toEqual([])
})

test('an answer that says that it runs is the last word on what has opened: a later end cuts none of it', async () => {
  const world = await newWorld(seldom)
  const certified = await certify(world)
  world.line.cut()
  const open = await startDirect(world.proxy, { certified })
  await open.until(isReady)
  world.line.bringBack()
  for (let i = 0; i < 2; i++) expect(await world.proxy.serving.trust.ask()).toBe(true)
  await endLogin(world.lea)
  await world.proxy.serving.trust.ask()
  await until(() => world.proxy.serving.certificateLogins.watched.logins.length === 0)
  expect(await isOpenedBy(world.proxy, { certified })).toBe(false)
  expect([open.socket.destroyed, world.proxy.serving.sessions.count]).toEqual([false, 1])
})
