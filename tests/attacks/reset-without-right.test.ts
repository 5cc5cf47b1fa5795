import { expect, test } from 'vitest'
import { challengeOf } from '../../core/intent.ts'
import { base64url } from '../../core/lib/bytes.ts'
import { intentIn, login } from '../client.ts'
import { lastRefusal } from '../edge.ts'
import {
  askForTap,
  call,
  entrust,
  newAdmin,
  newPerson,
  newReset,
  type Person,
  reset,
  resetWith,
  tapFor,
  tapHeaderOf,
} from '../people.ts'
import { race, statuses } from '../race.ts'

async function scene() {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob', ['access', 'editor'])
  const { body } = await newReset('Bob')
  return { edge: ada.edge, ada, bob, body, tapped: () => tapFor(ada, body, ada, 'userReset') }
}

const isUntouched = async ({ edge, passkey }: Person) => (await login(edge.visitor(), passkey)).status === 200

test('with a reset everything ends at once: passkey, browsers, programs; roles stay, and the program is told', async () => {
  const { edge, ada, bob, body, tapped } = await scene()
  expect((await resetWith(ada, body, await tapped())).status).toBe(200)
  expect(await isUntouched(bob)).toBe(false)
  expect((await bob.visitor.get('/account')).status).toBe(302)
  expect((await call(bob, 'GET', '/v1/me')).status).toBe(401)
  const { json } = await bob.program.refresh(bob.refreshToken)
  expect(json.error_description).toMatch(/^All passkeys, passwords, codes and logins of this user were removed/)
  expect(
    edge.rows("select role from user_roles inner join users on users.id = user_id where name = 'Bob'"),
  ).toHaveLength(2)
})

test('without a tap nobody is reset', async () => {
  const { edge, ada, bob, body } = await scene()
  expect(await resetWith(ada, body)).toMatchObject({ status: 403, json: { error: 'tap_required' } })
  expect(lastRefusal(edge)).toBe('tap_missing')
  expect(await isUntouched(bob)).toBe(true)
})

test('a tap for one user resets no other, makes no other link and lives no longer than it says', async () => {
  const { edge, ada, bob, body, tapped } = await scene()
  const carol = await newPerson(ada, 'Carol')
  const tap = await tapped()
  const other = (await newReset('Bob')).body
  for (const altered of [{ ...body, name: 'Carol' }, { ...body, ttl: 86_400 }, other, { ...body, name: 'bob' }]) {
    expect((await resetWith(ada, altered, tap)).status).toBe(401)
    expect(lastRefusal(edge)).toBe('wrong_subject')
  }
  expect([await isUntouched(bob), await isUntouched(carol)]).toEqual([true, true])
})

test('a tap for an invite resets nobody, and one for a reset invites nobody', async () => {
  const { edge, ada, body, tapped } = await scene()
  const invitation = { name: 'Dan', roles: [], invite_key: body.reset_key }
  expect((await resetWith(ada, body, await tapFor(ada, invitation))).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  const headers = { 'sallyport-tap': await tapped() }
  const given = { body: invitation, headers }
  expect((await ada.program.call('POST', '/v1/users', ada.token, given)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
})

test('a namesake who came between tap and request is another', async () => {
  const { edge, ada, body, tapped } = await scene()
  const tap = await tapped()
  await call(ada, 'DELETE', '/v1/users/Bob')
  const other = await newPerson(ada, 'Bob')
  // The earlier tap is to fail for whom it names, not for its counter.
  edge.store.raw.exec('update credentials set counter = 0')
  expect(await resetWith(ada, body, tap)).toMatchObject({ status: 404, json: { error: 'user_unknown' } })
  expect(lastRefusal(edge)).toBe('user_unknown')
  expect(await isUntouched(other)).toBe(true)
})

test('whoever is no editor gets no ticket, and his request is refused; he learns of nobody', async () => {
  const { edge, ada, bob, body, tapped } = await scene()
  const carol = await newPerson(ada, 'Carol', ['access', 'auditor'])
  for (const name of ['Bob', 'Nobody']) {
    const asked = await askForTap(carol, { ...body, name }, 'userReset')
    expect([asked.status, asked.json.error]).toEqual([403, 'forbidden'])
    expect(lastRefusal(edge)).toBe('role_missing')
  }
  expect((await resetWith(carol, body, await tapped())).status).toBe(403)
  expect(await isUntouched(bob)).toBe(true)
})

test('a passkey that may not vouch is not asked, and its tap resets nobody', async () => {
  const { edge, ada, bob } = await scene()
  const { body } = await newReset('Ada')
  entrust(bob)
  const { ticket } = (await askForTap(bob, body, 'userReset')).json
  entrust(bob, false)
  expect((await bob.visitor.post('/v1/taps/options', { ticket })).json.error).toBe('tap_impossible')
  const assertion = await bob.passkey.get({ challenge: base64url(challengeOf(intentIn(ticket))) })
  expect((await resetWith(bob, body, tapHeaderOf(ticket, assertion as never))).status).toBe(401)
  expect(lastRefusal(edge)).toBe('credential_changed')
  expect(await isUntouched(ada)).toBe(true)
})

test('nobody resets himself, and nobody who is not there', async () => {
  const { ada } = await scene()
  for (const [name, status, error] of [
    ['ADA', 409, 'own_account'],
    ['Nobody', 404, 'user_unknown'],
  ] as const) {
    const { body } = await newReset(name)
    expect(await askForTap(ada, body, 'userReset')).toMatchObject({ status, json: { error } })
  }
})

test('50 at once with one tap: one reset', async () => {
  const { edge, ada, body, tapped } = await scene()
  const tap = await tapped()
  expect(statuses(await race(50, () => resetWith(ada, body, tap)))).toEqual({ 200: 1, 401: 49 })
  expect(edge.rows("select seq from audit where kind = 'user.reset' and outcome = 'done'")).toHaveLength(1)
})

test('somebody invited whose link expired is not invited again: the answer says how he gets a new link', async () => {
  const { ada } = await scene()
  const invitation = { name: 'Dan', roles: ['access'], invite_key: (await newReset('Dan')).body.reset_key }
  const headers = { 'sallyport-tap': await tapFor(ada, invitation) }
  await ada.program.call('POST', '/v1/users', ada.token, { body: invitation, headers })
  const { status, json } = await askForTap(ada, { ...invitation, name: 'dan' })
  expect([status, json.error]).toEqual([409, 'user_waiting'])
  expect(json.message).toContain('sallyport admin users reset')
  await reset(ada, 'Dan')
  const taken = await askForTap(ada, { ...invitation, name: 'Bob' })
  expect([taken.status, taken.json.error]).toEqual([409, 'name_taken'])
})

test('a role that is not there is refused before the tap', async () => {
  const { ada } = await scene()
  const invitation = { name: 'Dan', roles: ['access', 'nowhere'], invite_key: (await newReset('Dan')).body.reset_key }
  const { status, json } = await askForTap(ada, invitation)
  expect([status, json.error]).toEqual([422, 'role_unknown'])
  expect(json.message).toContain('"nowhere"')
})
