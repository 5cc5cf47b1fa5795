import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { hours, minutes, seconds } from '../../core/model.ts'
import { newEdge, type TestEdge } from '../edge.ts'
import { call, newAdmin, newPerson, personOf, recentIsEnough } from '../people.ts'
import { race, statuses } from '../race.ts'

const published = async (edge: TestEdge): Promise<{ kid: string }[]> =>
  (await edge.visitor().get('/oauth/jwks')).json.keys
const kidOf = (token: string) => decodeProtectedHeader(token).kid

test('a rotation logs nobody out: old tokens live their ten minutes, refresh goes on under the next key', async () => {
  const ada = await newAdmin()
  const { edge, program } = ada
  const bob = await newPerson(ada, 'Bob')
  const before = await published(edge)
  const { json } = await call(ada, 'POST', '/v1/keys/rotate', {})
  expect(json.current).toBe(before[1]?.kid)
  expect((await published(edge)).map(({ kid }) => kid)).toEqual([before[0]?.kid, json.current, json.next])
  edge.advance(minutes(10) - seconds(1))
  for (const person of [ada, bob]) expect((await call(person, 'GET', '/v1/me')).status).toBe(200)
  const refreshed = (await program.refresh(ada.refreshToken)).json.access_token
  expect([kidOf(ada.token), kidOf(refreshed)]).toEqual([before[0]?.kid, json.current])
  expect((await program.call('GET', '/v1/me', refreshed)).status).toBe(200)
})

test('whoever has a key set from before the rotation knows the key that signs after it', async () => {
  const ada = await newAdmin()
  const jwks = createLocalJWKSet({ keys: (await published(ada.edge)) as never })
  await call(ada, 'POST', '/v1/keys/rotate', {})
  const { json } = await ada.program.refresh(ada.refreshToken)
  await jwtVerify(json.access_token, jwks, { currentDate: new Date(ada.edge.ports.now()) })
})

test('a retired key is published for a day, its private half is gone at once', async () => {
  const ada = await newAdmin()
  const { edge } = ada
  const [old] = await published(edge)
  await call(ada, 'POST', '/v1/keys/rotate', {})
  expect(edge.rows('select sealed is null as gone from signing_keys order by generation')).toEqual([
    { gone: 1 },
    { gone: 0 },
    { gone: 0 },
  ])
  edge.advance(hours(24) - seconds(1))
  expect((await published(edge)).map(({ kid }) => kid)).toContain(old?.kid)
  edge.advance(minutes(1))
  expect((await published(edge)).map(({ kid }) => kid)).not.toContain(old?.kid)
  expect(await edge.ports.keyring.verifier(old?.kid ?? '')).toBeUndefined()
})

test('50 rotations at once: each key is retired once, and who came second is told', async () => {
  const ada = await newAdmin(recentIsEnough)
  const replies = await race(50, () => call(ada, 'POST', '/v1/keys/rotate', {}))
  // One, or one more by who read the keys after the first was done.
  const { 200: done = 0, 409: second = 0 } = statuses(replies)
  expect(done).toBeGreaterThan(0)
  expect(second).toBe(50 - done)
  expect(replies.find(({ status }) => status === 409)?.json.error).toBe('keys_rotated')
  expect(await published(ada.edge)).toHaveLength(2 + done)
  expect(ada.edge.rows("select seq from audit where kind = 'keys.rotate' and outcome = 'done'")).toHaveLength(done)
})

test('another process signs with the next key within a minute, and both believe each other all the time', async () => {
  const ada = await newAdmin()
  const { edge, visitor, passkey } = ada
  const elsewhere = await newEdge({ store: edge.store })
  await elsewhere.ports.keyring.current()
  const { json } = await call(ada, 'POST', '/v1/keys/rotate', {})
  const there = (await elsewhere.ports.keyring.current()).kid
  expect(there).toBe(kidOf(ada.token))
  expect(await edge.ports.keyring.verifier(there)).toBeDefined()
  elsewhere.advance(seconds(5))
  expect(await elsewhere.ports.keyring.verifier(json.current)).toBeDefined()
  elsewhere.advance(minutes(1))
  expect((await elsewhere.ports.keyring.current()).kid).toBe(json.current)
  expect(kidOf((await personOf(edge, visitor, passkey)).token)).toBe(json.current)
})

test('50 processes that begin a cluster’s keys at once agree on them', async () => {
  const { store } = await newEdge()
  const edges = await race(50, () => newEdge({ store }))
  const kids = await Promise.all(edges.map(async ({ ports }) => (await ports.keyring.current()).kid))
  expect(new Set(kids).size).toBe(1)
})
