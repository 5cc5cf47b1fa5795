/** Somebody was talked into entering a stranger's code. The stranger reaches what he reaches, and lets nothing more of his own in. */
import { expect, test } from 'vitest'
import { operations } from '../../core/api/operations.ts'
import { newVouchKey } from '../client.ts'
import { newDeviceLogin } from '../device-flow.ts'
import { lastRefusal, type TestEdge } from '../edge.ts'
import { addUser, askForTap, call, newInvitation, type Person, tapFor } from '../people.ts'
import { redirectUri } from '../program.ts'

/** Bob, whose headless program is the stranger's, holds every preset role. */
async function stolen(): Promise<{ edge: TestEdge; stranger: Person; bob: Person }> {
  const { edge, bob, person } = await newDeviceLogin()
  const give = (role: string) =>
    edge.store.raw.exec(`insert into user_roles select id, '${role}' from users where name = 'Bob'`)
  for (const role of ['editor', 'auditor']) give(role)
  return { edge, stranger: person, bob }
}

const administrative = Object.entries(operations).filter(
  ([, operation]) => operation.auth === 'dpop' && 'needs' in operation,
)

test.each(administrative)(
  '%s is refused to him, with what to do; to a login with a browser it is not',
  async (_, operation) => {
    const { edge, stranger, bob } = await stolen()
    const path = operation.path.replaceAll(/\{\w+\}/g, 'x')
    const body = operation.method === 'POST' ? {} : undefined
    expect(await call(stranger, operation.method, path, body)).toMatchObject({
      status: 403,
      json: { error: 'headless_login', message: expect.stringMatching(/sign in with a browser.*: sallyport login$/) },
    })
    expect(lastRefusal(edge)).toBe('login_headless')
    expect((await call(bob, operation.method, path, body)).json.error).not.toBe('headless_login')
  },
)

test('all that he may call is who he is, what he reaches and why, and a session on it', () => {
  const others = Object.entries(operations).filter(([, one]) => one.auth === 'dpop' && !('needs' in one))
  expect(others.map(([name]) => name).sort()).toEqual([
    'hostsList',
    'me',
    'resourcesList',
    'sessionBegin',
    'sessionSetBegin',
    'why',
  ])
})

test('he may not even ask for a tap, nor use one that was given to a login with a browser', async () => {
  const { edge, stranger, bob } = await stolen()
  const { body } = await newInvitation('Eve', ['editor'])
  expect(await askForTap(stranger, body)).toMatchObject({ status: 403, json: { error: 'headless_login' } })
  expect(lastRefusal(edge)).toBe('login_headless')
  edge.store.raw.exec('update credentials set may_vouch = 1')
  expect((await addUser(stranger, body, await tapFor(bob, body))).status).toBe(403)
  expect(lastRefusal(edge)).toBe('login_headless')
  expect(edge.rows("select name from users where name = 'Eve'")).toEqual([])
})

test('he registers no passkey, removes none and approves no program: a token is no browser session', async () => {
  const { edge, stranger, bob } = await stolen()
  const { vouch_key } = await newVouchKey()
  const headers = { origin: edge.site.origin }
  const [{ id = '' } = {}] = edge.rows('select id from credentials') as { id?: string }[]
  const attempts: [path: string, body: object][] = [
    ['/v1/passkeys/begin', { name: 'Mine', vouch_key: { ...vouch_key } }],
    [`/v1/passkeys/${id}/remove/begin`, {}],
    ['/v1/device/begin', { user_code: 'BCDF-GHJK' }],
    ['/v1/device/refuse', { user_code: 'BCDF-GHJK' }],
    ['/v1/taps/refuse', { ticket: 'x', redirect_uri: redirectUri, state: '' }],
  ]
  for (const [path, body] of attempts) {
    const reply = await stranger.program.call('POST', path, stranger.token, { body: body as never, headers })
    expect([path, reply.status]).toEqual([path, 401])
  }
  expect((await bob.visitor.post('/v1/passkeys/begin', { name: 'Mine', vouch_key: { ...vouch_key } })).status).toBe(200)
})

test('a refresh makes nothing else of it', async () => {
  const { stranger } = await stolen()
  const { json } = await stranger.program.refresh(stranger.refreshToken)
  const renewed = { ...stranger, token: json.access_token as string }
  expect((await call(renewed, 'GET', '/v1/users')).json.error).toBe('headless_login')
})

test('resources he reaches as the user does', async () => {
  const { stranger } = await stolen()
  expect((await call(stranger, 'GET', '/v1/me')).json).toMatchObject({ user: { name: 'Bob' } })
  expect((await call(stranger, 'GET', '/v1/resources')).status).toBe(200)
})

test('its owner sees it on his account page, marked, and ends it', async () => {
  const { edge, stranger, bob } = await stolen()
  const page = await bob.visitor.get('/account')
  expect(page.text.match(/<span class="tag">Headless<\/span>/g)).toHaveLength(1)
  const [{ id = '' } = {}] = edge.rows("select id from client_sessions where via = 'device_flow'") as { id?: string }[]
  expect((await bob.visitor.post(`/v1/client-sessions/${id}/end`, {})).status).toBe(200)
  expect((await call(stranger, 'GET', '/v1/me')).status).toBe(401)
})
