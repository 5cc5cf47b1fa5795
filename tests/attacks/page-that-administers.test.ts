/** Invites and resets that the page about users asks for: what no cookie, no other tap and no other request gets done there. */
import { expect, test } from 'vitest'
import { challengeOf, type Json } from '../../core/intent.ts'
import { base64url } from '../../core/lib/bytes.ts'
import { minutes } from '../../core/model.ts'
import type { Authenticator, RequestOptions } from '../authenticator.ts'
import { ceremonyCookieName, intentIn, login, newVouchKey, type Reply, type Visitor } from '../client.ts'
import { lastRefusal, signIn } from '../edge.ts'
import {
  acceptBody,
  addUser,
  askForTap,
  entrust,
  lockOf,
  newAdmin,
  newInvitation,
  newPerson,
  newReset,
  type Person,
  putDocuments,
  tapHeaderOf,
} from '../people.ts'
import { race, statuses } from '../race.ts'

type Body = { readonly [member: string]: Json }

const begin = (visitor: Visitor, body: Json, operation = 'userAdd') =>
  visitor.post('/v1/actions/begin', { operation, body })

/** All that the page sends at the end. */
async function actionOf(visitor: Visitor, passkey: Authenticator, body: Body, operation = 'userAdd') {
  const { status, text, json } = await begin(visitor, body, operation)
  if (status !== 200) throw new Error(`begin answered ${status}: ${text}`)
  return {
    operation,
    body,
    ticket: json.ticket as string,
    assertion: await passkey.get(json.options as RequestOptions),
  }
}

const send = (visitor: Visitor, action: object): Promise<Reply> => visitor.post('/v1/actions', action as Json)

async function scene(roles: readonly string[] = ['access']) {
  const ada = await newAdmin()
  const { key, body } = await newInvitation('Bob', roles)
  const { edge, visitor, passkey } = ada
  return { edge, ada, key, body, visitor, passkey, tapped: () => actionOf(visitor, passkey, body) }
}
const names = ({ edge }: Pick<Person, 'edge'>) =>
  edge.rows('select name from users order by name').map((row) => row['name'])

test('with a tap the page invites, and the link lets in who has it', async () => {
  const { edge, ada, key, tapped, visitor } = await scene()
  const { status, json } = await send(visitor, await tapped())
  expect({ status, json }).toMatchObject({ status: 200, json: { name: 'Bob', link: `${edge.site.origin}/invite` } })
  const [bobs, passkey] = [edge.visitor(), await edge.authenticator()]
  const accepted = await acceptBody(bobs, passkey, { key, id: json.invite })
  expect((await bobs.post('/v1/invites/finish', accepted)).status).toBe(200)
  expect(names(ada)).toEqual(['Ada', 'Bob'])
  const [row] = edge.rows("select evidence, session_id from audit where kind = 'user.invite'")
  expect(String(row?.['evidence'])).toContain('"path":"/v1/users"')
  expect(edge.rows('select id from sessions').map(({ id }) => id)).toContain(row?.['session_id'])
})

const changes: Record<string, () => Promise<Record<string, Json>>> = {
  name: async () => ({ name: 'Eve' }),
  'more roles': async () => ({ roles: ['access', 'editor'] }),
  key: async () => ({ invite_key: { ...(await newVouchKey()).vouch_key } }),
  ttl: async () => ({ ttl: 172_800 }),
  'member that nobody reads': async () => ({ more: 1 }),
}

test.each(Object.entries(changes))('a tap for one request does nothing with another %s', async (_, change) => {
  const { edge, ada, tapped, visitor } = await scene()
  const action = await tapped()
  const body = { ...action.body, ...(await change()) }
  expect(await send(visitor, { ...action, body })).toMatchObject({ status: 401, json: { error: 'refused' } })
  expect(lastRefusal(edge)).toBe('wrong_subject')
  expect(names(ada)).toEqual(['Ada'])
  expect((await send(visitor, action)).status).toBe(200)
})

test('50 at once with one tap: one user, one invite', async () => {
  const { edge, ada, tapped, visitor } = await scene()
  const action = await tapped()
  expect(statuses(await race(50, () => send(visitor, action)))).toEqual({ 200: 1, 401: 49 })
  expect(lastRefusal(edge)).toBe('ticket_spent')
  expect(names(ada)).toEqual(['Ada', 'Bob'])
  expect(edge.rows('select id from invites')).toHaveLength(1)
})

test('a tap for an invite resets nobody, and one for a reset invites nobody', async () => {
  const { edge, ada, visitor, passkey, tapped } = await scene()
  const carol = await newPerson(ada, 'Carol')
  const { body } = await newReset('Carol')
  const reset = await actionOf(visitor, passkey, body, 'userReset')
  expect((await send(visitor, { ...(await tapped()), operation: 'userReset', body })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  expect(
    (await send(visitor, { ...reset, operation: 'userAdd', body: (await newInvitation('Eve')).body })).status,
  ).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  expect((await login(edge.visitor(), carol.passkey)).status).toBe(200)
  expect((await send(visitor, reset)).status).toBe(200)
  expect((await login(edge.visitor(), carol.passkey)).status).toBe(401)
  expect((await carol.visitor.get('/account')).status).toBe(302)
})

test('a thief of both cookies gets a ticket, and nothing by a key of his own', async () => {
  const { edge, ada, body, visitor } = await scene()
  const thief = visitor.copy()
  const own = await edge.authenticator()
  const action = await actionOf(thief, own, body)
  expect((await send(thief, action)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_unknown')
  const carol = await newPerson(ada, 'Carol', ['editor'])
  entrust(carol)
  const signed = await carol.passkey.get({ challenge: base64url(challengeOf(intentIn(action.ticket))) })
  expect((await send(thief, { ...action, assertion: signed })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  expect(names(ada)).toEqual(['Ada', 'Carol'])
})

test('a tap in one browser is none in another of the same user, nor without the ceremony cookie', async () => {
  const { edge, ada, tapped, passkey, visitor } = await scene()
  const action = await tapped()
  const office = await signIn(edge, passkey)
  expect((await send(office, action)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
  const bare = visitor.copy()
  bare.cookies.delete(ceremonyCookieName)
  expect((await send(bare, action)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
  expect(names(ada)).toEqual(['Ada'])
})

test('a tap that a program waits for is none of the page’s, nor the other way round', async () => {
  const { edge, ada, body, visitor, tapped, passkey } = await scene()
  const { ticket } = (await askForTap(ada, body)).json
  const assertion = await passkey.get({ challenge: base64url(challengeOf(intentIn(ticket))) })
  expect((await send(visitor, { operation: 'userAdd', body, ticket, assertion })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
  const action = await tapped()
  const header = tapHeaderOf(action.ticket, action.assertion as unknown as Json)
  expect((await addUser(ada, body, header)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
  const shown = await visitor.get(
    `/approve?${new URLSearchParams({ ticket: action.ticket, redirect_uri: 'http://127.0.0.1:1/callback' })}`,
  )
  expect(shown.status).toBe(401)
  expect(names(ada)).toEqual(['Ada'])
})

test('who may not administer users is shown none, and gets no ticket', async () => {
  const { edge, ada, body } = await scene()
  const carol = await newPerson(ada, 'Carol', ['access', 'auditor'])
  const page = await carol.visitor.get('/users')
  expect([page.status, page.text.includes('You do not administer users')]).toEqual([403, true])
  expect(page.text).not.toContain('Ada')
  expect((await carol.visitor.get('/account')).text).not.toContain('href="/users"')
  expect((await ada.visitor.get('/account')).text).toContain('href="/users"')
  for (const [operation, given] of [
    ['userAdd', body],
    ['userReset', (await newReset('Ada')).body],
  ] as const) {
    expect(await begin(carol.visitor, given, operation)).toMatchObject({ status: 403, json: { error: 'forbidden' } })
    expect(lastRefusal(edge)).toBe('role_missing')
  }
})

test('who may only invite makes no administrator, and is told what it takes', async () => {
  const { edge, ada, key } = await scene()
  const rule = { resources: ['user'], verbs: ['list', 'create'] }
  const role = { kind: 'role', version: 'v7', metadata: { name: 'host' }, spec: { allow: { rules: [rule] } } }
  expect((await putDocuments(ada, [role])).status).toBe(200)
  const lea = await newPerson(ada, 'Lea', ['host'])
  entrust(lea)
  const body = { name: 'Eve', roles: ['editor'], invite_key: { ...key.vouch_key } }
  expect((await begin(lea.visitor, body)).json.message).toBe(
    'No role of yours allows it to update roles (role:update). Ask an administrator for a role that may do this.',
  )
  const { text } = await lea.visitor.get('/users')
  expect([text.includes('id="invite"'), text.includes('data-reset')]).toEqual([true, false])
  const allowed = await actionOf(lea.visitor, lea.passkey, { ...body, roles: ['access'] })
  expect((await send(lea.visitor, { ...allowed, body })).status).toBe(401)
  expect((await send(lea.visitor, allowed)).status).toBe(200)
  expect(edge.rows("select role from user_roles where role = 'editor'")).toHaveLength(1)
})

test('a key that may not let others in is not asked', async () => {
  const { edge, ada, body } = await scene()
  const carol = await newPerson(ada, 'Carol', ['editor'])
  expect(await begin(carol.visitor, body)).toMatchObject({ status: 403, json: { error: 'tap_impossible' } })
  expect(lastRefusal(edge)).toBe('passkeys_lesser')
})

const meanwhile: Record<string, [code: string, happens: (ada: Person) => Promise<unknown>]> = {
  'the session ended': ['session_missing', async ({ visitor }) => visitor.copy().post('/v1/logout', {})],
  'the role was taken': [
    'role_missing',
    async ({ edge }) => edge.store.raw.exec("delete from user_roles where role = 'editor'"),
  ],
  'five minutes passed': ['ticket_expired', async ({ edge }) => edge.advance(minutes(5))],
}

test.each(Object.entries(meanwhile))('nothing is done where between tap and request %s', async (_, [code, happens]) => {
  const { edge, ada, tapped, visitor } = await scene()
  const action = await tapped()
  await happens(ada)
  expect((await send(visitor, action)).status).toBeGreaterThanOrEqual(401)
  expect(lastRefusal(edge)).toBe(code)
  expect(names(ada)).toEqual(['Ada'])
})

test('a lock on the administrator holds in the batch, whatever was read before it', async () => {
  const { edge, ada } = await scene()
  const carol = await newPerson(ada, 'Carol', ['editor'])
  entrust(carol)
  const { body } = await newInvitation('Eve')
  const action = await actionOf(carol.visitor, carol.passkey, body)
  expect((await putDocuments(ada, [lockOf('Carol')])).status).toBe(200)
  expect((await send(carol.visitor, action)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('session_missing')
  expect(names(ada)).toEqual(['Ada', 'Carol'])
})

test('text that has no canonical form is a wrong request, of a page and of a program', async () => {
  const { ada, visitor, body } = await scene()
  expect((await begin(visitor, { ...body, more: '\ud800' })).status).toBe(400)
  expect((await askForTap(ada, { ...body, more: '\ud800' })).status).toBe(400)
})
