/** A certificate that opens as often as it is shown: with the end of the login that it comes from it opens nothing more. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { call, newPerson, type Person } from '../../people.ts'
import { until } from '../proxy.ts'
import { certify, isOpenedBy, isReady, startDirect } from './certificate.ts'
import { newWorld, type World } from './world.ts'

const endLogin = async (person: Person) =>
  expect((await call(person, 'DELETE', `/v1/me/logins/${String(decodeJwt(person.token)['sid'])}`)).status).toBe(200)

async function refusalOf({ proxy }: World, dialling: Parameters<typeof startDirect>[1]) {
  const said = await (await startDirect(proxy, dialling)).closed
  return { said, line: proxy.log.findLast(({ message }) => message === 'postgres refused') }
}

test('one that was never shown here is refused at once, whenever the proxy asks for news', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000 })
  const certified = await certify(world)
  await endLogin(world.lea)
  const { said, line } = await refusalOf(world, { certified })
  expect(said).toContain('was ended: sallyport login, then sallyport db login')
  expect(line).toMatchObject({ code: 'session_refused', detail: expect.stringContaining('login_over') })
  expect(world.database.connections).toEqual([])
})

test('of many at once none gets in before the first has been asked about', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000 })
  const certified = await certify(world)
  await endLogin(world.lea)
  const all = await Promise.all(Array.from({ length: 20 }, () => isOpenedBy(world.proxy, { certified })))
  expect(all.filter(Boolean)).toEqual([])
})

test('one that was shown is refused with the next news; what it opened before goes on', async () => {
  const world = await newWorld({ tap: false, askEvery: 200 })
  const certified = await certify(world)
  const asked = () => world.proxy.serving.certificateLogins.watched.logins
  const open = await startDirect(world.proxy, { certified })
  await open.until(isReady)
  expect(asked()).toHaveLength(1)
  expect(await isOpenedBy(world.proxy, { certified })).toBe(true)
  await endLogin(world.lea)
  await until(() => asked().length === 0)
  expect((await refusalOf(world, { certified })).said).toContain('was ended')
  expect(open.socket.destroyed).toBe(false)
})

test('of others nothing changes, and of a grant that is used up nothing is asked', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000 })
  const bob = await newPerson(world.admin, 'Bob', ['access', 'db-reader'])
  await world.proxy.serving.trust.ask()
  const [certified, others] = [await certify(world), await certify(world, { person: bob })]
  await endLogin(bob)
  expect(await isOpenedBy(world.proxy, { certified })).toBe(true)
  expect(await isOpenedBy(world.proxy, { certified: others })).toBe(false)

  const tapping = await newWorld({ askEvery: 60_000 })
  expect(await isOpenedBy(tapping.proxy, { certified: await certify(tapping) })).toBe(true)
  expect(tapping.proxy.serving.certificateLogins.watched.logins).toEqual([])
})

test('while the edge is away it opens as any other does', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000 })
  const certified = await certify(world)
  world.line.cut()
  expect(await isOpenedBy(world.proxy, { certified })).toBe(true)
})

test('whose certificate was not shown for ten minutes is asked about again when it is', async () => {
  const world = await newWorld({ tap: false, askEvery: 60_000 })
  const certified = await certify(world)
  expect(await isOpenedBy(world.proxy, { certified })).toBe(true)
  await endLogin(world.lea)
  // Nothing was asked in between: without the question it would still open.
  expect(await isOpenedBy(world.proxy, { certified })).toBe(true)
  world.edge.advance(10 * 60_000)
  expect(await isOpenedBy(world.proxy, { certified })).toBe(false)
})
