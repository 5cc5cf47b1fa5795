/** A grant is for one process, one connection and one key, and for one tunnel. */
import { expect, test } from 'vitest'
import { newProofKey } from '../../program.ts'
import { askFor, newBoot } from '../../proxies.ts'
import { grantFor, newWorld, Tunnel } from './world.ts'

const invalid = { status: 403, json: { error: 'grant_invalid' } }

test('shown again it is refused, though the connection and the proof are new', async () => {
  const world = await newWorld()
  const { lea, proxy } = world
  const grant = await grantFor(world, lea)
  expect(await (await Tunnel.open(proxy)).connect(grant, lea)).toMatchObject({ status: 200 })
  expect(await (await Tunnel.open(proxy)).connect(grant, lea)).toMatchObject(invalid)
  await expect.poll(proxy.codes).toContain('grant_spent')
})

test('shown on 50 connections at once it opens one', async () => {
  const world = await newWorld()
  const { lea, proxy, database } = world
  const grant = await grantFor(world, lea)
  const tunnels = await Promise.all(Array.from({ length: 50 }, () => Tunnel.open(proxy)))
  const answers = await Promise.all(tunnels.map((tunnel) => tunnel.connect(grant, lea)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 403)).toHaveLength(49)
  expect(database.connections).toHaveLength(1)
})

test('of a process before, it opens nothing in the next one', async () => {
  const world = await newWorld()
  const { lea, proxy } = world
  const grant = await grantFor(world, lea)
  await proxy.stop()
  const next = await world.restart()
  expect(next.identity.id).toBe(proxy.identity.id)
  expect(await (await Tunnel.open(next)).connect(grant, lea)).toMatchObject(invalid)
})

test('with another boot or for another proxy it is refused', async () => {
  const world = await newWorld({ tap: false })
  const { lea, proxy } = world
  const grant = await grantFor(world, lea, askFor({ id: proxy.identity.id, boot: newBoot() }))
  expect(await (await Tunnel.open(proxy)).connect(grant, lea)).toMatchObject(invalid)
  const other = await newWorld({ tap: false })
  const theirs = await grantFor(other, other.lea)
  expect(await (await Tunnel.open(proxy)).connect(theirs, other.lea)).toMatchObject(invalid)
})

test('a proof made for another connection is refused, and the grant is still good', async () => {
  const world = await newWorld()
  const { lea, proxy } = world
  const grant = await grantFor(world, lea)
  const [first, second] = [await Tunnel.open(proxy), await Tunnel.open(proxy)]
  expect(await second.connect(grant, lea, { nonce: first.exporter })).toMatchObject({
    status: 403,
    json: { error: 'invalid_dpop_proof' },
  })
  expect(await first.connect(grant, lea)).toMatchObject({ status: 200 })
})

test('a proof by another key is refused, and does not use the grant up', async () => {
  const world = await newWorld()
  const { lea, proxy } = world
  const grant = await grantFor(world, lea)
  const thief = await newProofKey()
  expect(await (await Tunnel.open(proxy)).connect(grant, lea, { key: thief })).toMatchObject(invalid)
  expect(await (await Tunnel.open(proxy)).connect(grant, lea)).toMatchObject({ status: 200 })
})

test.for([
  ['another resource', { url: (id: string) => `sallyport://${id}/pg-2` }],
  ['another proxy', { url: () => `sallyport://${'A'.repeat(43)}/pg-1` }],
  ['another scheme', { url: (id: string) => `https://${id}/pg-1` }],
  ['a query behind it', { url: (id: string) => `sallyport://${id}/pg-1?x` }],
] as const)('a proof for %s is refused', async ([, { url }]) => {
  const world = await newWorld({ tap: false })
  const { lea, proxy } = world
  const grant = await grantFor(world, lea)
  const answer = await (await Tunnel.open(proxy)).connect(grant, lea, { url: url(proxy.identity.id) })
  expect(answer).toMatchObject({ status: 403, json: { error: 'invalid_dpop_proof' } })
})

test('after a minute and the skew of clocks it has expired', async () => {
  const world = await newWorld()
  const { edge, lea, proxy } = world
  const grant = await grantFor(world, lea)
  edge.advance(91_000)
  await proxy.serving.trust.ask()
  expect(await (await Tunnel.open(proxy)).connect(grant, lea)).toMatchObject(invalid)
})
