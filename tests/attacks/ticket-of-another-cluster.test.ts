import { expect, test } from 'vitest'
import { loginBody } from '../client.ts'
import { lastRefusal, newAdministrator, newEdge } from '../edge.ts'

test('a ticket of another cluster is refused, even under the same key and at the same origin', async () => {
  const { edge, passkey } = await newAdministrator({ cluster: 'one' })
  const other = await newEdge({ cluster: 'two', store: edge.store })
  const visitor = edge.visitor()
  const body = await loginBody(visitor, passkey)
  const there = other.visitor()
  for (const [name, value] of visitor.cookies) there.cookies.set(name, value)
  expect((await there.post('/v1/login/finish', body)).status).toBe(401)
  expect(lastRefusal(other)).toBe('wrong_cluster')
})

test('a ticket under another key is refused', async () => {
  const { edge, passkey } = await newAdministrator()
  const other = await newEdge({ key: new Uint8Array(32).fill(8), store: edge.store })
  const visitor = edge.visitor()
  const body = await loginBody(visitor, passkey)
  const there = other.visitor()
  for (const [name, value] of visitor.cookies) there.cookies.set(name, value)
  expect((await there.post('/v1/login/finish', body)).status).toBe(401)
  expect(lastRefusal(other)).toBe('ticket_invalid')
})
