import { describe, expect, test } from 'vitest'
import { fromBase64url } from '../../../core/lib/bytes.ts'
import { sha256 } from '../../../core/lib/hash.ts'
import { beginIntent, newSession, readTicket, sessionTtl, spendOf } from '../../../core/login/ceremony.ts'
import { parseSessionCookie } from '../../../core/login/session.ts'
import { type Holder, hours, minutes, type UserId } from '../../../core/model.ts'
import { newEdge } from '../../edge.ts'

const holder = 'holder' as Holder
const user = 'user' as UserId
const { site, ports } = await newEdge()
const begin = (now: number) =>
  beginIntent(site, { ...ports, now: () => now }, { purpose: 'login', holder, subject: {}, ttl: minutes(1) })

describe('beginIntent', () => {
  test('says cluster, purpose, place, thing and time in whole seconds', async () => {
    const { intent } = await begin(1_800_000_000_999)
    expect(intent).toEqual({
      v: 1,
      cluster: site.cluster,
      purpose: 'login',
      id: intent.id,
      holder,
      subject: {},
      iat: 1_800_000_000,
      exp: 1_800_000_060,
    })
  })

  test('names the user where there is one', async () => {
    const { intent } = await beginIntent(site, ports, { purpose: 'login', user, holder, subject: {}, ttl: minutes(5) })
    expect(intent).toMatchObject({ user, exp: intent.iat + 300 })
  })

  test('gives each intent an id of 128 random bits', async () => {
    const many = await Promise.all(Array.from({ length: 100 }, () => begin(0)))
    const ids = many.map(({ intent }) => intent.id)
    expect(new Set(ids).size).toBe(100)
    expect(ids.every((id) => fromBase64url(id)?.length === 16)).toBe(true)
  })
})

describe('readTicket', () => {
  test('answers the intent that was sealed', async () => {
    const { intent, ticket } = await begin(0)
    expect(await readTicket(ports, ticket)).toEqual(intent)
  })

  test.each(['', '.', 'a.b', 'x'.repeat(100_000)])('refuses %.20j as ticket_invalid', (ticket) => {
    expect(() => readTicket(ports, ticket)).toThrow(
      expect.objectContaining({ name: 'Refusal', code: 'ticket_invalid' }),
    )
  })

  test('refuses the ticket of a cluster with another key', async () => {
    const other = await newEdge({ key: new Uint8Array(32).fill(8) })
    const { ticket } = await begin(0)
    const refusal = { code: 'ticket_invalid', detail: { why: 'ticket: seal' } }
    expect(() => readTicket(other.ports, ticket)).toThrow(expect.objectContaining(refusal))
  })
})

test('spendOf keeps an id for an hour longer than its ticket', async () => {
  const { intent } = await begin(1_800_000_000_000)
  expect(spendOf(intent)).toEqual({ id: intent.id, expiresAt: 1_800_000_060_000 + hours(1) })
})

test('newSession makes a cookie that parseSessionCookie reads, and keeps only the hash of its secret', async () => {
  const from = { address: '192.0.2.1', place: '', browser: 'test' }
  const { session, cookie } = await newSession(ports, from)
  expect(session).toMatchObject({ from, openedAt: ports.now() })
  expect(await parseSessionCookie(cookie)).toEqual({ id: session.id, secretHash: session.secretHash })
  const [id, secret] = cookie.split('.')
  expect([id, fromBase64url(id!)?.length, fromBase64url(secret!)?.length]).toEqual([session.id, 16, 32])
  expect(await sha256(fromBase64url(secret!)!)).toEqual(session.secretHash)
  expect((await newSession(ports, from)).cookie).not.toBe(cookie)
})

test('a session lasts 12 hours', () => {
  expect(sessionTtl).toBe(12 * 60 * 60 * 1000)
})
