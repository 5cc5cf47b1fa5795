import { expect, test } from 'vitest'
import { flag } from '../authenticator.ts'
import { addPasskey, login, registerFirst } from '../client.ts'
import { lastRefusal, newAdministrator, newEdge } from '../edge.ts'

test('a touch without PIN, finger or face logs nobody in', async () => {
  const { edge, passkey } = await newAdministrator()
  for (const flags of [flag.UP, flag.UV, 0]) {
    expect((await login(edge.visitor(), passkey, { flags })).status).toBe(401)
    expect(lastRefusal(edge)).toBe('assertion_wrong')
  }
})

test('a passkey that was made without verification is not registered', async () => {
  const edge = await newEdge()
  const overrides = { flags: flag.UP | flag.AT }
  const reply = await registerFirst(edge.visitor(), await edge.offer(), await edge.authenticator(), { overrides })
  expect(reply.status).toBe(401)
  expect(edge.rows('select id from credentials')).toEqual([])
})

test('neither the tap nor the new passkey may lack it when one is added', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const added = await edge.authenticator()
  expect((await addPasskey(visitor, passkey, added, { tap: { flags: flag.UP } })).status).toBe(401)
  expect((await addPasskey(visitor, passkey, added, { create: { flags: flag.UP | flag.AT } })).status).toBe(401)
  expect(edge.rows('select id from credentials')).toHaveLength(1)
})
