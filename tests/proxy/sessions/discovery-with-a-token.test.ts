/** Who shows a token learns which process this is, and may wait; who shows none, or a wrong one, may not. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { newProofKey } from '../../program.ts'
import { newWorld, Tunnel } from './world.ts'

test('without a token it says whose it is, and not which process', async () => {
  const { edge, proxy } = await newWorld()
  const tunnel = await Tunnel.open(proxy)
  tunnel.send('GET /.well-known/sallyport HTTP/1.1', 'Host: localhost')
  const { status, json } = await tunnel.answer()
  expect(status).toBe(200)
  expect(json).toEqual({ issuer: edge.site.origin, methods: ['tls'], version: '0.1.0' })
})

test('a stolen token without its key, and a proof of another connection, are refused', async () => {
  const { edge, lea, proxy } = await newWorld()
  const thief = { ...lea, program: Object.assign(Object.create(lea.program), { key: await newProofKey() }) }
  const tunnel = await Tunnel.open(proxy)
  expect(await tunnel.discover(thief, edge.ports.now)).toMatchObject({ status: 401 })
  const [first, second] = [await Tunnel.open(proxy), await Tunnel.open(proxy)]
  const spied = Object.defineProperty(second, 'exporter', { get: () => first.exporter })
  expect(await spied.discover(lea, edge.ports.now)).toMatchObject({
    status: 401,
    json: { error: 'invalid_dpop_proof' },
  })
})

test('who has shown it may wait longer than a stranger, on four connections', async () => {
  const { edge, lea, proxy } = await newWorld({ limits: { headMs: 1500, idleMs: 1500 } })
  const stranger = await Tunnel.open(proxy)
  const tunnels = await Promise.all(Array.from({ length: 5 }, () => Tunnel.open(proxy)))
  const statuses: number[] = []
  for (const tunnel of tunnels) statuses.push((await tunnel.discover(lea, edge.ports.now)).status)
  expect(statuses).toEqual([200, 200, 200, 200, 429])
  await stranger.closed
  await sleep(2000)
  expect(tunnels.slice(0, 4).every(({ socket }) => !socket.destroyed)).toBe(true)
  tunnels[0]?.socket.destroy()
  await sleep(50)
  expect(await (await Tunnel.open(proxy)).discover(lea, edge.ports.now)).toMatchObject({ status: 200 })
})

test('there is nothing else here', async () => {
  const { proxy } = await newWorld()
  const tunnel = await Tunnel.open(proxy)
  tunnel.send('GET /v1/users HTTP/1.1', 'Host: localhost')
  expect(await tunnel.answer()).toMatchObject({ status: 404 })
  const posting = await Tunnel.open(proxy)
  posting.send('POST /.well-known/sallyport HTTP/1.1', 'Host: localhost')
  expect(await posting.answer()).toMatchObject({ status: 405 })
})
