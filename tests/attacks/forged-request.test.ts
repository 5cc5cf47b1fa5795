import { expect, test } from 'vitest'
import { lastRefusal, newAdministrator } from '../edge.ts'

const posts = [
  '/v1/logout',
  '/v1/login/begin',
  '/v1/login/finish',
  '/v1/passkeys/begin',
  '/v1/passkeys/finish',
  '/v1/first-administrator/begin',
  '/v1/actions/begin',
  '/v1/actions',
]

test.each(posts)('POST %s from a page of another site is refused', async (path) => {
  const { edge, visitor } = await newAdministrator()
  for (const origin of [
    'https://evil.example',
    'https://evil.access.example.com',
    'http://access.example.com',
    'null',
    '',
  ]) {
    expect(await visitor.post(path, {}, { origin })).toMatchObject({ status: 403, json: { error: 'forbidden' } })
    expect(lastRefusal(edge)).toBe('wrong_origin')
  }
  const headers = { 'content-type': 'application/json' }
  expect((await visitor.request('POST', path, '{}', headers)).status).toBe(403)
  expect((await visitor.get('/account')).status).toBe(200)
})

test.each(posts)('POST %s as a form can send it is refused', async (path) => {
  const { visitor } = await newAdministrator()
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    '',
    'application/jsonx',
  ]) {
    expect((await visitor.post(path, {}, { 'content-type': type })).status).toBe(415)
  }
  expect((await visitor.get('/account')).status).toBe(200)
})

test('a GET changes nothing', async () => {
  const { visitor } = await newAdministrator()
  for (const path of posts) expect((await visitor.get(path)).status).toBe(404)
  expect((await visitor.get('/account')).status).toBe(200)
})

test('another host name that points here is shown the public address, and may post nothing', async () => {
  const { edge, visitor } = await newAdministrator()
  const host = 'rebound.example'
  const page = await visitor.get('//evil.example/account?x=1', { host })
  expect(page.status).toBe(307)
  expect(new URL(page.headers.get('location') ?? '').origin).toBe(edge.site.origin)
  expect(await visitor.post('/v1/logout', {}, { host })).toMatchObject({ status: 421 })
  expect((await visitor.get('/account')).status).toBe(200)
})
