/** max_session_ttl is that of now: a role that is changed while a session is open changes its life. */
import { expect, test } from 'vitest'
import { until } from '../proxy.ts'
import { message } from './database.ts'
import { eventsOf, limitReaders, newWorld, openSession } from './world.ts'

test('a session that is older than the life that a role has meanwhile is cut', async () => {
  const world = await newWorld({ tap: false })
  const { edge } = world
  const tunnel = await openSession(world)
  edge.advance(240_000)
  await limitReaders(world, { max_session_ttl: '3m' })
  expect(await tunnel.until((said) => said.includes('57P01'))).toContain('A session lives 3 minutes at most')
  await tunnel.closed
  await until(() => eventsOf(edge).length === 2)
  expect(String(eventsOf(edge)[1]?.['detail'])).toContain('session_too_long')
})

test('one that is younger goes on until then', async () => {
  const world = await newWorld({ tap: false })
  const { edge } = world
  const tunnel = await openSession(world)
  edge.advance(240_000)
  await limitReaders(world, { max_session_ttl: '5m' })
  await new Promise((next) => setTimeout(next, 1500))
  tunnel.socket.write(message('Q', 'still here\0'))
  await tunnel.until((said) => said.includes('still here'))
  edge.advance(60_000)
  expect(await tunnel.until((said) => said.includes('57P01'))).toContain('A session lives 5 minutes at most')
})
