import { expect, test } from 'vitest'
import type { GetOverrides } from '../authenticator.ts'
import { addPasskey, login, registerFirst, sessionCookieName } from '../client.ts'
import { lastRefusal, newAdministrator, newEdge } from '../edge.ts'

const site = { origin: 'https://access.example.com', rpId: 'example.com' }

/** The phishing site has everything right but what the browser itself writes. */
const phished: Record<string, GetOverrides> = {
  'another site': { origin: 'https://access.example.net' },
  'a sibling below the relying party id': { origin: 'https://evil.example.com' },
  'the relying party id itself': { origin: 'https://example.com' },
  'a host below ours': { origin: 'https://evil.access.example.com' },
  'another port': { origin: 'https://access.example.com:8443' },
  'plain http': { origin: 'http://access.example.com' },
  'a trailing slash': { origin: 'https://access.example.com/' },
  'a frame in another site': { crossOrigin: true },
  'a frame, with the site around it named': { crossOrigin: true, topOrigin: 'https://evil.example' },
  'another relying party': { rpId: 'access.example.com' },
  'a registration shown as a login': { type: 'webauthn.create' },
}

test.each(Object.entries(phished))('a login from %s is refused', async (_, overrides) => {
  const { edge, passkey } = await newAdministrator(site)
  const visitor = edge.visitor()
  expect(await login(visitor, passkey, overrides)).toMatchObject({ status: 401, json: { error: 'refused' } })
  expect(lastRefusal(edge)).toBe('assertion_wrong')
  expect(visitor.cookies.has(sessionCookieName)).toBe(false)
})

test.each(Object.entries(phished))('a registration from %s is refused', async (name, given) => {
  const overrides = name === 'a registration shown as a login' ? { type: 'webauthn.get' } : given
  const edge = await newEdge(site)
  const reply = await registerFirst(edge.visitor(), await edge.offer(), await edge.authenticator(), { overrides })
  expect(reply).toMatchObject({ status: 401, json: { error: 'refused' } })
  expect(edge.rows('select id from credentials')).toEqual([])
})

test.each(Object.entries(phished))('a tap from %s adds no passkey', async (_, tap) => {
  const { edge, passkey, visitor } = await newAdministrator(site)
  expect((await addPasskey(visitor, passkey, await edge.authenticator(), { tap })).status).toBe(401)
  expect(edge.rows('select id from credentials')).toHaveLength(1)
})
