/** RFC 9207: an answer says whose it is, so that a program that asks several servers takes none for another. */
import { expect, test } from 'vitest'
import { lastRefusal, newAdministrator } from '../edge.ts'
import { approve, askOf, parametersAt, redirectUri } from '../program.ts'

async function asking(more: Record<string, string | undefined> = {}) {
  const { edge, passkey, visitor } = await newAdministrator()
  const asked = askOf((await edge.program()).key, more)
  const get = (query: string) => visitor.get(`/oauth/authorize?${query}`)
  return { edge, passkey, visitor, asked, get, page: () => get(String(new URLSearchParams(asked.parameters))) }
}

const refused: Record<string, [more: Record<string, string | undefined>, error: string]> = {
  'prompt=none': [{ prompt: 'none' }, 'interaction_required'],
  'prompt=login none': [{ prompt: 'login none' }, 'interaction_required'],
  'a request object': [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
  'a request_uri': [{ request_uri: 'https://evil.example/request' }, 'request_not_supported'],
  'response_mode=fragment': [{ response_mode: 'fragment' }, 'invalid_request'],
  'response_mode=form_post': [{ response_mode: 'form_post' }, 'invalid_request'],
  'response_type=token': [{ response_type: 'token' }, 'unsupported_response_type'],
  'response_type=code id_token': [{ response_type: 'code id_token' }, 'unsupported_response_type'],
  'no response_type': [{ response_type: undefined }, 'unsupported_response_type'],
  'a scope of other servers': [{ scope: 'openid email' }, 'invalid_scope'],
}

test.each(Object.entries(refused))('%s is refused at the redirect, with state and iss', async (_, [more, error]) => {
  const { edge, visitor, asked, page } = await asking(more)
  const { status, headers } = await page()
  const location = headers.get('location') ?? ''
  expect(status).toBe(302)
  expect(location.startsWith(`${redirectUri}?`)).toBe(true)
  const told = parametersAt(location)
  expect(Object.fromEntries(told)).toMatchObject({ error, state: asked.state, iss: edge.site.origin })
  expect(told.has('code')).toBe(false)
  expect((await visitor.post('/v1/authorize/begin', { request: asked.parameters })).status).toBe(400)
})

test('a person’s no is an answer with state and iss too', async () => {
  const { edge, visitor, asked } = await asking()
  const { json } = await visitor.post('/v1/authorize/refuse', { request: asked.parameters })
  const { iss, state, error } = Object.fromEntries(parametersAt(json.location))
  expect({ iss, state, error }).toEqual({ iss: edge.site.origin, state: asked.state, error: 'access_denied' })
})

test('a state is given back as it came, whatever it holds, and none is made up', async () => {
  for (const state of ['a&iss=https://evil.example&code=x', '#', ' ü\r\nSet-Cookie: a=b', undefined]) {
    const { edge, passkey, visitor, asked } = await asking({ state })
    const { json } = await approve(visitor, passkey, asked)
    const told = parametersAt(json.location)
    expect(told.getAll('iss')).toEqual([edge.site.origin])
    expect(told.getAll('code')).toHaveLength(1)
    expect(told.get('state')).toBe(state ?? null)
  }
})

test.each([{ client_id: 'another-program' }, { client_id: undefined }, { client_id: '__proto__' }])(
  'an unknown client (%j) is answered by a page, and no redirect',
  async (more) => {
    const { page, visitor, asked } = await asking(more)
    const { status, headers } = await page()
    expect([status, headers.get('location')]).toEqual([400, null])
    expect(headers.get('content-type')).toMatch(/^text\/html/)
    const begun = await visitor.post('/v1/authorize/begin', { request: asked.parameters })
    expect(begun).toMatchObject({ status: 400, json: { error: 'invalid_client' } })
  },
)

test('a parameter that comes twice is refused by a page, even one that nobody reads', async () => {
  const { asked, get } = await asking()
  const query = String(new URLSearchParams(asked.parameters))
  for (const more of [
    'redirect_uri=http://127.0.0.1:1/callback',
    'client_id=x',
    `state=${asked.state}`,
    'x=1&x=2',
    'scope=api',
  ]) {
    const { status, headers } = await get(`${query}&${more}`)
    expect([more, status, headers.get('location')]).toEqual([more, 400, null])
  }
})

test('a parameter that comes twice at the token endpoint is refused', async () => {
  const { edge, asked } = await asking()
  const program = await edge.program()
  await program.needNonce()
  const form = `${new URLSearchParams(program.codeForm('x', asked))}&code=y`
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    dpop: await program.proof('POST', '/oauth/token'),
  }
  const reply = await program.visitor.request('POST', '/oauth/token', form, headers)
  expect(reply).toMatchObject({ status: 400, json: { error: 'invalid_request' } })
})

test('whoever is not signed in is sent to sign in and comes back to the very same request', async () => {
  const { edge, asked } = await asking()
  const query = String(new URLSearchParams(asked.parameters))
  const { status, headers } = await edge.visitor().get(`/oauth/authorize?${query}`)
  expect(status).toBe(302)
  const next = new URL(headers.get('location') ?? '', edge.site.origin)
  expect(next.pathname).toBe('/')
  expect(next.searchParams.get('next')).toBe(`/oauth/authorize?${query}`)
  expect(lastRefusal(edge)).toBeUndefined()
})
