import { expect, test } from 'vitest'
import { loginBody } from '../client.ts'
import { newAdministrator } from '../edge.ts'

const elsewhere = [
  'https://evil.example',
  '//evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/%2e//evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  '@evil.example',
  'account',
  '',
  '/%09/evil.example',
]

test.each(elsewhere)('next=%j leads nowhere else', async (next) => {
  const { edge, passkey } = await newAdministrator()
  const visitor = edge.visitor()
  const { json } = await visitor.post('/v1/login/finish', { ...(await loginBody(visitor, passkey)), next })
  expect(new URL(json.location, edge.site.origin).origin).toBe(edge.site.origin)
  const page = await visitor.get(`/?next=${encodeURIComponent(next)}`)
  expect(page.status).toBe(302)
  expect(new URL(page.headers.get('location') ?? '', edge.site.origin).origin).toBe(edge.site.origin)
})

test('a place of ours is kept', async () => {
  const { edge, passkey } = await newAdministrator()
  const visitor = edge.visitor()
  const { json } = await visitor.post('/v1/login/finish', {
    ...(await loginBody(visitor, passkey)),
    next: '/account?a=1#b',
  })
  expect(json.location).toBe('/account?a=1#b')
})
