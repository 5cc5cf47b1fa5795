/** Nobody widens what he may himself: neither by roles, nor by the traits that templates of roles stand for. */
import { expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { lastRefusal } from '../edge.ts'
import { askForTapOf, call, entrust, newAdmin, newPerson, type Person, putDocuments, userOf } from '../people.ts'
import { askFor, beginSession, newProxy, pgDocument } from '../proxies.ts'

/** Reaches what its holder's traits say. */
const templated: Json = {
  kind: 'role',
  version: 'v7',
  metadata: { name: 'templated' },
  spec: { allow: { db_labels: { env: 'dev' }, db_users: ['{{internal.db_users}}'], db_names: ['orders'] } },
}

async function two() {
  const ada = await newAdmin()
  await putDocuments(ada, [pgDocument() as unknown as Json, templated])
  const bob = await newPerson(ada, 'Bob', ['access', 'editor', 'templated'])
  // What stands in his way is that it is he, and not his passkey.
  entrust(bob)
  return { ada, bob, edge: ada.edge }
}

const held = ({ edge }: Person) =>
  edge.rows(`select role, traits from users inner join user_roles on user_id = id where name = 'Bob' order by role`)
const asHeWas = ['access', 'editor', 'templated'].map((role) => ({ role, traits: null }))

const own = { roles: ['access', 'editor', 'templated'] }
const attempts: Record<string, Parameters<typeof userOf>[1]> = {
  'another role': { roles: [...own.roles, 'auditor'] },
  'a trait': { ...own, traits: { team: ['red'] } },
  'a trait that widens what a template of his allows': { ...own, traits: { db_users: ['reader'] } },
  'fewer roles': { roles: ['access'] },
}

test.each(Object.entries(attempts))('%s: by create, by edit, in a file of others, and in a tap', async (_, spec) => {
  const { ada, bob, edge } = await two()
  const document = userOf('Bob', spec)
  const [listed] = (await call(bob, 'GET', '/v1/documents?kind=user&name=Bob')).json.documents
  const bodies: Record<string, Json>[] = [
    { documents: [document] },
    { documents: [document], force: true },
    { documents: [document], replaces: listed.revision },
    { documents: [document], replaces: 'a revision of somewhere else' },
    { documents: [userOf('Carol', { roles: ['access'] }), document], force: true },
  ]
  for (const body of bodies) {
    const refused = { status: 409, json: { error: 'own_account' } }
    expect(await call(bob, 'POST', '/v1/documents', body)).toMatchObject(refused)
    expect(lastRefusal(edge)).toBe('own_account')
    expect(await askForTapOf(bob, 'documentsPut', '/v1/documents', body)).toMatchObject(refused)
  }
  expect(held(ada)).toEqual(asHeWas)
  expect(edge.rows("select name from users where name = 'Carol'")).toEqual([])
})

test('under a name that only looks like another', async () => {
  const { ada, bob } = await two()
  for (const name of ['bob', 'BOB', 'Ｂob'])
    expect(await putDocuments(bob, [userOf(name, { roles: ['access', 'auditor'] })], true)).toMatchObject({
      status: 409,
      json: { error: 'name_taken', message: expect.stringContaining('There is a user Bob') },
    })
  expect(held(ada)).toEqual(asHeWas)
})

test('two spellings of one user in one file are one user', async () => {
  const { ada } = await two()
  const both = [userOf('Eve', { roles: ['access'] }), userOf('eve', { roles: ['editor'] })]
  expect(await putDocuments(ada, both)).toMatchObject({ status: 422, json: { error: 'document_invalid' } })
})

test('nor does he remove himself; and what he holds already he may write down', async () => {
  const { ada, bob } = await two()
  expect(await call(bob, 'DELETE', '/v1/documents/user/bob')).toMatchObject({
    status: 409,
    json: { error: 'own_account' },
  })
  const { status, json } = await putDocuments(bob, [userOf('Bob', own)], true)
  expect([status, json.documents[0].outcome]).toEqual([200, 'unchanged'])
  expect(held(ada)).toEqual(asHeWas)
})

test('what another gives him reaches as far as it says, from the next request on', async () => {
  const { ada, bob } = await two()
  const ask = askFor(await newProxy(ada.edge))
  const status = async () => (await beginSession(bob.program, bob.token, ask)).status
  expect(await status()).toBe(403)
  expect((await putDocuments(ada, [userOf('Bob', { ...own, traits: { db_users: ['reader'] } })], true)).status).toBe(
    200,
  )
  expect(await status()).toBe(200)
  expect((await putDocuments(ada, [userOf('Bob', { ...own, traits: { db_users: ['^.*$', '*'] } })], true)).status).toBe(
    200,
  )
  expect(await status()).toBe(403)
})
