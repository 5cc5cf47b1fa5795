/**
 * Who asks with a credential that nobody knows learns nothing from the work that is done: as much as for one that is
 * met for the first time. Counted, not timed: a clock in a test would tell more of the machine than of the code.
 */
import { StatementSync } from 'node:sqlite'
import { afterEach, expect, test, vi } from 'vitest'
import type { Authenticator, GetOverrides } from '../../authenticator.ts'
import { login, loginBody, type Reply } from '../../client.ts'
import { lastRefusal, newAdministrator, type TestEdge } from '../../edge.ts'

const hashed = vi.hoisted(() => ({ calls: [] as string[] }))
vi.mock('../../../core/lib/hash.ts', async (original) => {
  const real = await original<typeof import('../../../core/lib/hash.ts')>()
  const counted =
    <A extends unknown[], R>(name: string, work: (...args: A) => R) =>
    (...args: A): R => {
      hashed.calls.push(name)
      return work(...args)
    }
  return { ...real, sha256: counted('sha256', real.sha256), hmacIsRight: counted('hmacIsRight', real.hmacIsRight) }
})

const cryptoCalls = ['digest', 'importKey', 'verify', 'sign', 'deriveBits'] as const

afterEach(() => {
  vi.restoreAllMocks()
})

/** How an algorithm is named in a call: text, or an object with a name. */
const nameOf = (argument: unknown): string =>
  typeof argument === 'string' ? argument : String((argument as { name?: string } | undefined)?.name ?? '')

/** What one failed login does: each call of Web Cryptography with its algorithm, and each statement with its SQL. */
async function workOf(edge: TestEdge, passkey: Authenticator, overrides?: GetOverrides) {
  const visitor = edge.visitor()
  const body = await loginBody(visitor, passkey, overrides)
  const calls: string[] = []
  const { subtle } = crypto
  for (const name of cryptoCalls) {
    const original = subtle[name] as (...args: unknown[]) => Promise<unknown>
    vi.spyOn(subtle, name as 'digest').mockImplementation(((...args: unknown[]) => {
      calls.push(`${name} ${args.slice(0, 3).map(nameOf).filter(Boolean).join(' ')}`)
      return original.apply(subtle, args)
    }) as never)
  }
  for (const name of ['all', 'run'] as const) {
    const original = StatementSync.prototype[name] as (this: StatementSync, ...args: unknown[]) => unknown
    vi.spyOn(StatementSync.prototype, name).mockImplementation(function (this: StatementSync, ...args) {
      calls.push(`sql ${this.sourceSQL.replace(/\s+/g, ' ').slice(0, 60)}`)
      return original.apply(this, args) as never
    })
  }
  hashed.calls.length = 0
  const reply = await visitor.post('/v1/login/finish', body)
  calls.push(...hashed.calls)
  vi.restoreAllMocks()
  return { calls: calls.sort(), reply }
}

/** All that an outsider can see. */
const seen = ({ status, headers, json }: Reply) => ({
  status,
  json: { ...json, request_id: '' },
  headers: [...headers].filter(([name]) => name !== 'x-request-id'),
})

async function setup() {
  const { edge, passkey } = await newAdministrator()
  const stranger = await edge.authenticator()
  stranger.userHandle = passkey.userHandle
  return { edge, passkey, stranger }
}

test('an unknown credential costs the same calls and statements as a known one that is met for the first time', async () => {
  const { edge, passkey, stranger } = await setup()
  const known = await workOf(edge, passkey, { badSignature: true })
  expect(lastRefusal(edge)).toBe('assertion_wrong')
  const unknown = await workOf(edge, stranger)
  expect(unknown.calls).toEqual(known.calls)
  const count = (name: string) => known.calls.filter((call) => call.startsWith(name)).length
  // The seal; one signature; holder, challenge, client data and the key's fingerprint; one read of the credential.
  expect([count('hmacIsRight'), count('verify'), count('importKey'), count('sql select')]).toEqual([1, 1, 1, 1])
  expect(count('sha256')).toBe(4)
  expect(seen(unknown.reply)).toEqual(seen(known.reply))
  expect(known.reply.status).toBe(401)
})

test('a signature that is wrong changes nothing for an unknown credential', async () => {
  const { edge, stranger } = await setup()
  const right = await workOf(edge, stranger)
  const wrong = await workOf(edge, stranger, { badSignature: true })
  expect(wrong.calls).toEqual(right.calls)
  expect(seen(wrong.reply)).toEqual(seen(right.reply))
})

test('a guess leaves nothing behind that would make the next guess cheaper', async () => {
  const { edge, passkey, stranger } = await setup()
  for (const [one, overrides] of [
    [passkey, { badSignature: true }],
    [stranger, {}],
  ] as const) {
    const first = await workOf(edge, one, overrides)
    expect((await workOf(edge, one, overrides)).calls).toEqual(first.calls)
  }
})

test('each other way to fail after the key was found costs both alike', async () => {
  const { edge, passkey, stranger } = await setup()
  const ways: GetOverrides[] = [
    { origin: 'https://evil.example' },
    { rpId: 'evil.example' },
    { flags: 1 },
    { flags: 0 },
  ]
  for (const way of ways) {
    const [known, unknown] = [await workOf(edge, passkey, way), await workOf(edge, stranger, way)]
    expect(unknown.calls, JSON.stringify(way)).toEqual(known.calls)
    expect(seen(unknown.reply)).toEqual(seen(known.reply))
  }
})

test('the operator learns which of the two it was, and after a good tap the key is remembered', async () => {
  const { edge, passkey, stranger } = await setup()
  await workOf(edge, stranger)
  expect(lastRefusal(edge)).toBe('credential_unknown')
  expect((await login(edge.visitor(), passkey)).status).toBe(200)
  const { calls, reply } = await workOf(edge, passkey)
  expect(reply.status).toBe(200)
  expect(calls.filter((call) => call.startsWith('sql select'))).toEqual([])
})
