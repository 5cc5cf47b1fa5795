import { expect, test } from 'vitest'
import { seconds } from '../../core/model.ts'
import { builtInClients } from '../../core/oauth/clients.ts'
import { ceremonyCookieName, loginBody } from '../client.ts'
import { lastRefusal, newAdministrator } from '../edge.ts'
import { approvalBody, askOf, newProofKey } from '../program.ts'
import { race, statuses } from '../race.ts'

const clients = new Map([...builtInClients, ['other', { id: 'other', name: 'Another program' }]])

async function tapped() {
  const { edge, passkey, visitor } = await newAdministrator({ clients })
  const asked = askOf((await edge.program()).key)
  const finish = (body: Awaited<ReturnType<typeof approvalBody>>, by = visitor) => by.post('/v1/authorize/finish', body)
  return { edge, passkey, visitor, asked, finish, body: await approvalBody(visitor, passkey, asked.parameters) }
}
const codesOf = ({ edge }: Pick<Awaited<ReturnType<typeof tapped>>, 'edge'>) => edge.rows('select hash from codes')

const changes: Record<string, () => Promise<Record<string, string>>> = {
  client: async () => ({ client_id: 'other' }),
  port: async () => ({ redirect_uri: 'http://127.0.0.1:1/callback' }),
  challenge: async () => ({ code_challenge: 'A'.repeat(43) }),
  state: async () => ({ state: 'another' }),
  key: async () => ({ dpop_jkt: (await newProofKey()).jkt }),
  'wider scope': async () => ({ scope: 'openid api' }),
}

test.each(Object.entries(changes))('a tap for one request approves none with another %s', async (name, change) => {
  const scene = await tapped()
  const narrow = { ...scene.asked.parameters, scope: 'openid' }
  const before = name === 'wider scope' ? narrow : scene.asked.parameters
  const body = await approvalBody(scene.visitor, scene.passkey, before)
  const reply = await scene.finish({ ...body, request: { ...before, ...(await change()) } })
  expect(reply).toMatchObject({ status: 401, json: { error: 'refused' } })
  expect(lastRefusal(scene.edge)).toBe('wrong_subject')
  expect(codesOf(scene)).toEqual([])
  expect((await scene.finish(body)).status).toBe(200)
})

test('the nonce of the ID token, which the tap does not name, is stored as it was sent: it tells its own client only', async () => {
  const scene = await tapped()
  const reply = await scene.finish({ ...scene.body, request: { ...scene.asked.parameters, nonce: 'other' } })
  expect(reply.status).toBe(200)
})

test('a ticket of another browser is refused, with the session or without', async () => {
  const scene = await tapped()
  const { edge, visitor, finish, body } = scene
  const thief = visitor.copy()
  thief.cookies.delete(ceremonyCookieName)
  for (const by of [thief, edge.visitor()]) {
    expect((await finish(body, by)).status).toBe(401)
    expect(['wrong_holder', 'session_missing']).toContain(lastRefusal(edge))
  }
  await thief.post('/v1/login/begin', {})
  expect((await finish(body, thief)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
  expect(codesOf(scene)).toEqual([])
})

test('one tap gives one code', async () => {
  const scene = await tapped()
  expect((await scene.finish(scene.body)).status).toBe(200)
  expect((await scene.finish(scene.body)).status).toBe(401)
  expect(lastRefusal(scene.edge)).toBe('ticket_spent')
  expect(codesOf(scene)).toHaveLength(1)
})

test('50 at once: one code, one new session', async () => {
  const scene = await tapped()
  const replies = await race(50, () => scene.finish(scene.body, scene.visitor.copy()))
  expect(statuses(replies)).toEqual({ 200: 1, 401: 49 })
  expect(codesOf(scene)).toHaveLength(1)
  expect(scene.edge.rows('select id from sessions where ended_at is null')).toHaveLength(1)
})

test('a tap for a login approves no program, nor the other way round', async () => {
  const scene = await tapped()
  const { edge, visitor, passkey, finish, body } = scene
  const login = await loginBody(visitor, passkey)
  expect((await finish({ ...body, ...login })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_purpose')
  const { request: _, ...approval } = body
  expect((await visitor.post('/v1/login/finish', approval)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_purpose')
  expect(codesOf(scene)).toEqual([])
})

test('a tap waits five minutes and no longer', async () => {
  const scene = await tapped()
  scene.edge.advance(seconds(300))
  expect((await scene.finish(scene.body)).status).toBe(401)
  expect(lastRefusal(scene.edge)).toBe('ticket_expired')
})

test('a touch without PIN, finger or face approves nothing', async () => {
  const { edge, passkey, visitor, asked, finish } = await tapped()
  const body = await approvalBody(visitor, passkey, asked.parameters, { flags: 1 })
  expect((await finish(body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('assertion_wrong')
})
