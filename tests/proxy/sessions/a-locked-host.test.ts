/** A lock names one host that is no resource: its sessions are cut and none opens, at the edge and at the proxy. */
import { expect, test } from 'vitest'
import { lockOn, putDocuments } from '../../people.ts'
import { beginSession } from '../../proxies.ts'
import { anyPort, askForHost, here, newHostWorld, openHost } from './hosts.ts'
import { eventsOf, grantFor, Tunnel } from './world.ts'

const lockHost = async (world: Awaited<ReturnType<typeof newHostWorld>>, host: string) => {
  expect((await putDocuments(world.admin, [lockOn({ host }, 'Being mended.')], true)).status).toBe(200)
  await world.proxy.serving.trust.ask()
}

test('what is open there is cut, and nothing new is granted; another host goes on', async () => {
  const world = await newHostWorld()
  const { port, lea, edge } = world
  const [locked, other] = [`git.internal:${port}`, `wiki.internal:${port}`]
  const [cut, kept] = [await openHost(world, locked), await openHost(world, other)]
  await lockHost(world, locked)
  await cut.closed
  await expect.poll(() => eventsOf(edge).find(({ kind }) => kind === 'session.stop')?.['detail']).toMatch(/session_cut/)
  const { status, text } = await beginSession(lea.program, lea.token, askForHost(world, locked))
  expect({ status, text }).toEqual({ status: 403, text: expect.stringContaining('This host is locked: Being mended.') })
  kept.socket.write('still here')
  await kept.until((said) => said === 'still here')
  expect((await openHost(world, other)).answered).toMatchObject({ status: 200 })
})

test('a grant from before the lock opens nothing at the proxy', async () => {
  const world = await newHostWorld()
  const name = `git.internal:${world.port}`
  const grant = await grantFor(world, world.lea, askForHost(world, name))
  await lockHost(world, name)
  const tunnel = await Tunnel.open(world.proxy)
  expect(await tunnel.connect(grant, world.lea, { name })).toMatchObject({ status: 403 })
  expect(world.reached).toEqual([])
})

test('it is that name and that port: an address of the host is another, which a denial covers', async () => {
  const address = { name: '127.0.0.0/8', ports: anyPort }
  const world = await newHostWorld([{ name: '*.internal', ports: anyPort, networks: here }, address])
  const { port } = world
  await lockHost(world, `git.internal:${port === 9 ? 10 : 9}`)
  expect((await openHost(world, `git.internal:${port}`)).answered).toMatchObject({ status: 200 })
  await lockHost(world, `git.internal:${port}`)
  expect((await openHost(world, `127.0.0.1:${port}`)).answered).toMatchObject({ status: 200 })
})
