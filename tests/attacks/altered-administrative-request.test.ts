import { expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { challengeOf } from '../../core/intent.ts'
import { base64url } from '../../core/lib/bytes.ts'
import { minutes } from '../../core/model.ts'
import { addPasskey, intentIn, loginBody, newVouchKey, removeBody } from '../client.ts'
import { lastRefusal } from '../edge.ts'
import {
  addUser,
  askForTap,
  call,
  entrust,
  lockOf,
  newAdmin,
  newInvitation,
  newPerson,
  type Person,
  personOf,
  tapFor,
  tapHeaderOf,
} from '../people.ts'
import { redirectUri } from '../program.ts'
import { race, statuses } from '../race.ts'

async function tapped(roles: readonly string[] = ['access']) {
  const ada = await newAdmin()
  const { body } = await newInvitation('Bob', roles)
  return { edge: ada.edge, ada, body, tap: await tapFor(ada, body) }
}
const names = ({ edge }: Pick<Person, 'edge'>) =>
  edge.rows('select name from users order by name').map((row) => row['name'])

/** Signs a ticket that the page would not have shown to this key. */
const sign = (passkey: Person['passkey'], ticket: string) =>
  passkey.get({ challenge: base64url(challengeOf(intentIn(ticket))) })

const changes: Record<string, () => Promise<Record<string, Json>>> = {
  name: async () => ({ name: 'Eve' }),
  'spelling of the name': async () => ({ name: 'bob' }),
  role: async () => ({ roles: ['editor'] }),
  'more roles': async () => ({ roles: ['access', 'editor'] }),
  key: async () => ({ invite_key: { ...(await newVouchKey()).vouch_key } }),
  ttl: async () => ({ ttl: 172_800 }),
  'member that nobody reads': async () => ({ more: 1 }),
}

test.each(Object.entries(changes))('a tap for one request does nothing with another %s', async (_, change) => {
  const { edge, ada, body, tap } = await tapped()
  expect(await addUser(ada, { ...body, ...(await change()) }, tap)).toMatchObject({
    status: 401,
    json: { error: 'refused' },
  })
  expect(lastRefusal(edge)).toBe('wrong_subject')
  expect(names(ada)).toEqual(['Ada'])
  expect((await addUser(ada, body, tap)).status).toBe(200)
})

test('a tap that is sent again adds nobody', async () => {
  const { edge, ada, body, tap } = await tapped()
  expect((await addUser(ada, body, tap)).status).toBe(200)
  expect((await addUser(ada, body, tap)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('ticket_spent')
})

test('50 at once: one user, one invite, one audit row', async () => {
  const { edge, ada, body, tap } = await tapped()
  const replies = await race(50, () => addUser(ada, body, tap))
  expect(statuses(replies)).toEqual({ 200: 1, 401: 49 })
  expect(names(ada)).toEqual(['Ada', 'Bob'])
  expect(edge.rows('select id from invites')).toHaveLength(1)
  expect(edge.rows("select seq from audit where kind = 'user.invite' and outcome = 'done'")).toHaveLength(1)
})

test('without a tap nobody is added, by whichever role', async () => {
  const { edge, ada, body } = await tapped()
  expect(await addUser(ada, body)).toMatchObject({ status: 403, json: { error: 'tap_required' } })
  expect(lastRefusal(edge)).toBe('tap_missing')
  for (const header of ['x', base64url(new Uint8Array(9)), 'A'.repeat(9000), tapHeaderOf('x', {})])
    expect((await addUser(ada, body, header)).status).toBe(400)
  expect(names(ada)).toEqual(['Ada'])
})

test('a tap waits five minutes and no longer', async () => {
  const { edge, ada, body, tap } = await tapped()
  const { ticket, approve_url } = (await askForTap(ada, body)).json
  edge.advance(minutes(5))
  expect((await addUser(ada, body, tap)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('ticket_expired')
  expect((await ada.visitor.post('/v1/taps/options', { ticket })).status).toBe(401)
  const page = await ada.visitor.get(approve_url.slice(edge.site.origin.length))
  expect([page.status, page.text.includes('This has expired')]).toEqual([403, true])
})

test('a key that may not let others in is not asked, and its tap does nothing', async () => {
  const { edge, ada } = await tapped()
  const bob = await newPerson(ada, 'Bob', ['editor'])
  const { body } = await newInvitation('Eve', ['editor'])
  expect(await askForTap(bob, body)).toMatchObject({ status: 403, json: { error: 'tap_impossible' } })
  expect(lastRefusal(edge)).toBe('passkeys_lesser')
  entrust(bob)
  const { ticket } = (await askForTap(bob, body)).json
  entrust(bob, false)
  expect(await bob.visitor.post('/v1/taps/options', { ticket })).toMatchObject({
    status: 403,
    json: { error: 'tap_impossible' },
  })
  const tap = tapHeaderOf(ticket, await sign(bob.passkey, ticket))
  expect((await addUser(bob, body, tap)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_changed')
  expect(names(ada)).toEqual(['Ada', 'Bob'])
})

test('a tap of another user does nothing, though his key may let others in', async () => {
  const { edge, ada } = await tapped()
  const bob = await newPerson(ada, 'Bob', ['editor'])
  const { body } = await newInvitation('Eve')
  entrust(bob)
  const { ticket } = (await askForTap(bob, body)).json
  expect((await addUser(bob, body, tapHeaderOf(ticket, await sign(ada.passkey, ticket)))).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  // And the other way round: Ada’s tap for Ada, sent by Bob.
  expect((await addUser(bob, body, await tapFor(ada, body))).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
})

test('a tap that one program waits for is none for another of the same user', async () => {
  const { edge, ada, body, tap } = await tapped()
  const other = await personOf(edge, ada.visitor, ada.passkey)
  expect((await addUser(other, body, tap)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
})

test('a tap for something else is none for this', async () => {
  const { edge, ada, body } = await tapped()
  const second = await edge.authenticator()
  await addPasskey(ada.visitor, ada.passkey, second)
  const login = await loginBody(ada.visitor, ada.passkey)
  const removal = await removeBody(ada.visitor, ada.passkey, second.credentialId)
  for (const [{ ticket, assertion }, code] of [
    [login, 'wrong_purpose'],
    [removal, 'wrong_holder'],
  ] as const) {
    expect((await addUser(ada, body, tapHeaderOf(ticket, assertion as unknown as Json))).status).toBe(401)
    expect(lastRefusal(edge)).toBe(code)
  }
})

test('the ticket of a passkey’s removal is no waiting request: no page shows it, no options come of it', async () => {
  const { edge, ada } = await tapped()
  const second = await edge.authenticator()
  await addPasskey(ada.visitor, ada.passkey, second)
  const { ticket } = await removeBody(ada.visitor, ada.passkey, second.credentialId)
  const login = await loginBody(ada.visitor, ada.passkey)
  for (const wrong of [ticket, login.ticket, 'x']) {
    const page = await ada.visitor.get(
      `/approve?${new URLSearchParams({ ticket: wrong, redirect_uri: redirectUri, state: '' })}`,
    )
    expect(page.status).toBe(401)
    expect((await ada.visitor.post('/v1/taps/options', { ticket: wrong })).status).toBe(401)
    expect(['wrong_purpose', 'ticket_invalid']).toContain(lastRefusal(edge))
  }
})

test('what a program waits for removes no passkey', async () => {
  const { edge, ada, body } = await tapped()
  const second = await edge.authenticator()
  await addPasskey(ada.visitor, ada.passkey, second)
  const { ticket } = (await askForTap(ada, body)).json
  const answer = { ticket, assertion: await sign(ada.passkey, ticket) }
  expect((await ada.visitor.post(`/v1/passkeys/${second.credentialId}/remove`, answer)).status).toBe(401)
  expect(edge.rows('select id from credentials where removed_at is null')).toHaveLength(2)
})

test('a refused request stays refused as long as nobody taps: the program is told, and the audit log', async () => {
  const { edge, ada, body } = await tapped()
  const { ticket } = (await askForTap(ada, body)).json
  const { json } = await ada.visitor.post('/v1/taps/refuse', { ticket, redirect_uri: redirectUri, state: 's&iss=x' })
  const told = Object.fromEntries(new URL(json.location).searchParams)
  expect(told).toEqual({ error: 'access_denied', state: 's&iss=x', iss: edge.site.origin })
  expect(edge.rows("select detail from audit where kind = 'tap.refuse'")).toEqual([
    { detail: '{"summary":"Invite Bob with the role access"}' },
  ])
})

test('whoever is no editor asks for nothing that has an effect', async () => {
  const { edge, ada, body } = await tapped()
  const carol = await newPerson(ada, 'Carol', ['access', 'auditor'])
  expect(await addUser(carol, body, await tapFor(ada, body))).toMatchObject({
    status: 403,
    json: { error: 'forbidden' },
  })
  expect(lastRefusal(edge)).toBe('role_missing')
  for (const [method, path, given] of [
    ['GET', '/v1/users', undefined],
    ['GET', '/v1/documents', undefined],
    ['POST', '/v1/documents', { documents: [lockOf('Ada')] }],
    ['DELETE', '/v1/users/Ada', undefined],
    ['DELETE', '/v1/documents/role/x', undefined],
    ['POST', '/v1/keys/rotate', {}],
    ['GET', '/v1/cluster', undefined],
  ] as const) {
    expect([path, (await call(carol, method, path, given)).status]).toEqual([path, 403])
    expect(lastRefusal(edge)).toBe('role_missing')
  }
})

test('a role that is taken away between tap and request is not there any more', async () => {
  const { edge, ada, body, tap } = await tapped()
  edge.store.raw.exec("delete from user_roles where role = 'editor'")
  expect((await addUser(ada, body, tap)).status).toBe(403)
  expect(lastRefusal(edge)).toBe('role_missing')
  expect(names(ada)).toEqual(['Ada'])
})

test('an operation that wants no tap, or is none, gets no ticket', async () => {
  const { ada } = await tapped()
  for (const operation of ['ownLoginEnd', 'usersList', 'toString', '__proto__', 'constructor', ''])
    expect([operation, (await askForTap(ada, {}, operation)).status]).toEqual([operation, 400])
})

test('what could never succeed gets no ticket either', async () => {
  const { ada, body } = await tapped()
  for (const [wrong, status] of [
    [{ ...body, name: '' }, 422],
    [{ ...body, name: 'Bob\u202e' }, 422],
    [{ ...body, invite_key: { kty: 'EC' } }, 400],
    [{ ...body, roles: 'editor' }, 400],
    [null, 400],
  ] as const)
    expect((await askForTap(ada, wrong)).status).toBe(status)
})
