import { describe, expect, test } from 'vitest'
import { bindingLimit, memoryLimit } from '../../worker/limits.ts'
import { login } from '../client.ts'
import { newAdministrator } from '../edge.ts'

describe('memoryLimit', () => {
  function limited(most: number) {
    let instant = 1_000_000
    const limit = memoryLimit(most, () => instant)
    return { limit, advance: (by: number) => (instant += by) }
  }

  test('lets an address fail so often, then has it wait for the rest of the minute', async () => {
    const { limit, advance } = limited(3)
    for (let i = 0; i < 3; i++) {
      expect(limit.retryAfter('192.0.2.1')).toBeUndefined()
      await limit.failed('192.0.2.1')
      advance(1000)
    }
    expect(limit.retryAfter('192.0.2.1')).toBe(57_000)
    advance(56_999)
    expect(limit.retryAfter('192.0.2.1')).toBe(1)
    advance(1)
    expect(limit.retryAfter('192.0.2.1')).toBeUndefined()
  })

  test('counts anew after a minute', async () => {
    const { limit, advance } = limited(2)
    await limit.failed('192.0.2.1')
    advance(60_000)
    await limit.failed('192.0.2.1')
    expect(limit.retryAfter('192.0.2.1')).toBeUndefined()
    await limit.failed('192.0.2.1')
    expect(limit.retryAfter('192.0.2.1')).toBe(60_000)
  })

  test('a failure while it waits does not prolong the wait', async () => {
    const { limit, advance } = limited(1)
    await limit.failed('192.0.2.1')
    advance(30_000)
    await limit.failed('192.0.2.1')
    expect(limit.retryAfter('192.0.2.1')).toBe(30_000)
  })

  test('counts a /64 as one, and other addresses apart', async () => {
    const { limit } = limited(1)
    await limit.failed('2001:db8::1')
    expect(limit.retryAfter('2001:db8::2')).toBe(60_000)
    expect(limit.retryAfter('2001:db8:0:1::1')).toBeUndefined()
    expect(limit.retryAfter('192.0.2.1')).toBeUndefined()
  })

  test('remembers 10,000 addresses, and forgets the one that was away longest', async () => {
    const { limit } = limited(1)
    for (let i = 0; i <= 10_000; i++) await limit.failed(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    expect(limit.retryAfter('10.0.0.0')).toBeUndefined()
    expect(limit.retryAfter('10.0.0.1')).toBe(60_000)
  })
})

describe('bindingLimit', () => {
  function bound(most: number) {
    let instant = 1_000_000
    const counted = new Map<string, number>()
    const binding = {
      limit: async ({ key }: { key: string }) => {
        counted.set(key, (counted.get(key) ?? 0) + 1)
        return { success: (counted.get(key) ?? 0) <= most }
      },
    }
    const limit = bindingLimit(binding, () => instant)
    return { limit, counted, advance: (by: number) => (instant += by) }
  }

  test('asks the binding about failures only, by network, and remembers its no for a minute', async () => {
    const { limit, counted, advance } = bound(2)
    expect(limit.retryAfter('2001:db8::1')).toBeUndefined()
    expect(counted.size).toBe(0)
    await limit.failed('2001:db8::1')
    await limit.failed('2001:db8::2')
    expect(limit.retryAfter('2001:db8::1')).toBeUndefined()
    await limit.failed('2001:db8::3')
    expect([...counted]).toEqual([['2001:db8:0:0', 3]])
    expect(limit.retryAfter('2001:db8::4')).toBe(60_000)
    expect(limit.retryAfter('192.0.2.1')).toBeUndefined()
    advance(59_999)
    expect(limit.retryAfter('2001:db8::1')).toBe(1)
    advance(1)
    expect(limit.retryAfter('2001:db8::1')).toBeUndefined()
  })
})

test('an address that failed too often is told in whole seconds when to come back, and nothing else is done', async () => {
  const { edge, passkey } = await newAdministrator({ failuresAMinute: 2 })
  const visitor = edge.visitor()
  for (let i = 0; i < 2; i++) expect((await login(visitor, passkey, { badSignature: true })).status).toBe(401)
  edge.advance(500)
  const rows = edge.rows('select count(*) as n from audit')
  const reply = await visitor.post('/v1/login/begin', {})
  expect([reply.status, reply.json.error, reply.headers.get('retry-after')]).toEqual([429, 'too_many_attempts', '60'])
  expect(edge.rows('select count(*) as n from audit')).toEqual(rows)
  expect((await visitor.get('/')).status).toBe(200)
  edge.advance(59_500)
  expect((await login(visitor, passkey)).status).toBe(200)
})
