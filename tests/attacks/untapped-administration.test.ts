/** Each operation that wants a tap, from the table: without one it changes nothing, whatever an old copy of the preference says. */
import { expect, test } from 'vitest'
import { type ActionName, actions } from '../../core/access/action.ts'
import type { AnyOperation } from '../../core/api/operation.ts'
import { operations } from '../../core/api/operations.ts'
import type { Json } from '../../core/intent.ts'
import { minutes } from '../../core/model.ts'
import { newVouchKey } from '../client.ts'
import { lastRefusal } from '../edge.ts'
import { call, callOnce, lockOf, newAdmin, newPerson, type Person, putDocuments } from '../people.ts'
import { prefer } from '../preferences.ts'

const lock = { ...lockOf('Bob'), metadata: { name: 'bob' } }

/** Whatever would succeed with a tap. */
async function requestOf(ada: Person, action: ActionName): Promise<{ path: string; body?: Json }> {
  const { path } = operations[action] as AnyOperation
  const key = { ...(await newVouchKey()).vouch_key }
  const [login] = (await call(ada, 'GET', '/v1/logins?user=Bob')).json.logins as { id: string }[]
  const bodies: Partial<Record<ActionName, Json>> = {
    userAdd: { name: 'Carol', roles: [], invite_key: key },
    userReset: { name: 'Bob', reset_key: key },
    passkeyEntrust: { passkey: 'Passkey' },
    factorRemove: { kind: 'passkey', name: 'Passkey' },
    documentsPut: { documents: [{ ...lock, metadata: { name: 'other' } }] },
    keysRotate: {},
  }
  const filled = path
    .replace('/logins/{id}', `/logins/${login?.id}`)
    .replace('/sessions/{id}', '/sessions/open')
    .replace('{kind}/{name}', 'lock/bob')
    .replace('{name}', 'Bob')
  const body = bodies[action]
  return { path: filled, ...(body !== undefined && { body }) }
}

const state = ({ edge }: Person) =>
  edge.store.raw
    .prepare(
      "select (select count(*) from users where removed_at is null) || '/' || (select count(*) from documents) || '/' || (select count(*) from credentials where removed_at is null and may_vouch = 0) || '/' || (select count(*) from client_sessions where ended_at is null) || '/' || (select count(*) from open_sessions where ended_at is null) || '/' || (select count(*) from signing_keys) as s",
    )
    .get()

test.each(Object.keys(actions) as ActionName[])('%s without a tap changes nothing', async (action) => {
  const ada = await newAdmin()
  await newPerson(ada, 'Bob')
  await putDocuments(ada, [lock])
  const { raw } = ada.edge.store
  raw.exec("update credentials set name = 'Passkey'")
  raw.exec("insert into proxies (id, x, name, registered_at) values ('p', 'x', 'here', 0)")
  raw
    .prepare(`insert into open_sessions (id, user_id, proxy_id, boot, kind, resource, principal, address, opened_at)
      select 'open', id, 'p', 'b', 'db', 'orders', '', '192.0.2.7', ? from users where name = 'Bob'`)
    .run(ada.edge.ports.now())
  const { path, body } = await requestOf(ada, action)
  const before = state(ada)
  const { method } = operations[action]
  expect(await callOnce(ada, method, path, body)).toMatchObject({
    status: 403,
    json: { error: 'tap_required', operation: action },
  })
  expect(lastRefusal(ada.edge)).toBe('tap_missing')
  expect(state(ada)).toEqual(before)
})

test('a copy of the preference that still says that a recent login is enough lets nothing through', async () => {
  const ada = await newAdmin()
  await prefer(ada, { second_factors: ['webauthn', 'otp'] })
  expect((await callOnce(ada, 'POST', '/v1/keys/rotate', {})).status).toBe(200)
  // Another process put a stricter one; this one has not read it yet.
  ada.edge.store.raw.exec(`update documents set revision = 'another',
    document = json_set(document, '$.spec.second_factors', json('["webauthn"]')) where kind = 'cluster_auth_preference'`)
  expect((await callOnce(ada, 'POST', '/v1/keys/rotate', {})).status).not.toBe(200)
  expect(ada.edge.rows("select seq from audit where kind = 'keys.rotate' and outcome = 'done'")).toHaveLength(1)
})

test('a copy that wants a tap keeps nobody out whom the newest lets', async () => {
  const ada = await newAdmin()
  await call(ada, 'GET', '/v1/me')
  await prefer(ada, { second_factors: ['webauthn', 'otp'] })
  expect((await callOnce(ada, 'POST', '/v1/keys/rotate', {})).status).toBe(200)
  ada.edge.advance(minutes(6))
  expect((await callOnce(ada, 'POST', '/v1/keys/rotate', {})).status).toBe(401)
  expect(
    (
      await callOnce(ada, 'POST', '/v1/taps', {
        operation: 'keysRotate',
        redirect_uri: 'http://127.0.0.1:1/callback',
        state: '',
      })
    ).status,
  ).toBe(401)
})
