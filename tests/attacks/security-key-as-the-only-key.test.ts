/** A security key signs in beside a password alone. Nobody is left with nothing else where passwords are not taken, or who has none. */
import { expect, test } from 'vitest'
import {
  addBody,
  addPasskey,
  addSecurityKey,
  login,
  removeBody,
  removePasskey,
  touch,
  type Visitor,
} from '../client.ts'
import { lastRefusal, newAdministrator, newEdge, type TestEdge } from '../edge.ts'
import { bothFactors, passwordLogin, setPassword } from '../factors.ts'
import { addUser, askForTap, newAdmin, newInvitation, newPerson, tapFor, tapHeaderOf } from '../people.ts'

const left = (edge: TestEdge) =>
  edge.rows('select kind from credentials where removed_at is null order by rowid').map(({ kind }) => kind)

/** At the same cluster after its preference was changed. */
function sameBrowser(visitor: Visitor, edge: TestEdge): Visitor {
  const same = edge.visitor()
  for (const [name, value] of visitor.cookies) same.cookies.set(name, value)
  return same
}

/** With a passkey that may not vouch, so that only the rule of this file stands in the way, and a security key. */
async function newKeeper() {
  const { edge, passkey, visitor } = await newAdministrator({ preference: bothFactors })
  const key = await edge.authenticator()
  expect((await addSecurityKey(visitor, passkey, key)).status).toBe(200)
  edge.store.raw.exec('update credentials set may_vouch = 0')
  return { edge, passkey, visitor, key }
}

test('without a password the last passkey stays, though a security key taps for it', async () => {
  const { edge, passkey, visitor } = await newKeeper()
  const begin = await visitor.post(`/v1/passkeys/${passkey.credentialId}/remove/begin`, {})
  expect(begin).toMatchObject({ status: 409, json: { error: 'last_passkey' } })
  expect(left(edge)).toEqual(['passkey', 'security_key'])
})

test('nor does it go when the password went, or passwords went, between the tap and its answer', async () => {
  const { edge, passkey, visitor, key } = await newKeeper()
  await setPassword(visitor, passkey)
  const path = `/v1/passkeys/${passkey.credentialId}/remove`
  const body = await removeBody(visitor, key, passkey.credentialId, touch)
  const strict = await newEdge({ store: edge.store })
  const elsewhere = sameBrowser(visitor, strict)
  expect((await elsewhere.post(path, body)).status).toBe(409)
  expect(lastRefusal(strict)).toBe('last_passkey')
  edge.store.raw.exec('delete from passwords')
  expect((await visitor.post(path, body)).status).toBe(409)
  expect(lastRefusal(edge)).toBe('last_passkey')
  expect(left(edge)).toEqual(['passkey', 'security_key'])
})

test('with a password it goes: whoever lost his phone signs in by password and key, and makes a new passkey', async () => {
  const { edge, passkey, visitor, key } = await newKeeper()
  await setPassword(visitor, passkey)
  const again = edge.visitor()
  expect((await passwordLogin(again, { passkey: key, tap: touch })).status).toBe(200)
  const body = await removeBody(again, key, passkey.credentialId, touch)
  expect((await again.post(`/v1/passkeys/${passkey.credentialId}/remove`, body)).status).toBe(200)
  expect(edge.rows('select via from sessions order by rowid desc limit 1')).toEqual([{ via: 'password+passkey' }])
  const fresh = await edge.authenticator()
  expect((await addPasskey(again, key, fresh, { name: 'New phone', tap: touch })).status).toBe(200)
  expect((await login(edge.visitor(), fresh)).status).toBe(200)
  expect(left(edge)).toEqual(['security_key', 'passkey'])
})

test('a passkey of a relying party that is not taken any more is no way in, so it does not count as one', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const old = await edge.authenticator()
  expect((await addPasskey(visitor, passkey, old)).status).toBe(200)
  edge.store.raw.prepare("update credentials set rp_id = 'old.example.com' where id = ?").run(old.credentialId)
  const begin = await visitor.post(`/v1/passkeys/${passkey.credentialId}/remove/begin`, {})
  expect(begin).toMatchObject({ status: 409, json: { error: 'last_passkey' } })
  expect((await removePasskey(visitor, passkey, old.credentialId)).status).toBe(200)
})

test('a program cannot remove it either, and is told before anybody taps', async () => {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob')
  expect((await addPasskey(bob.visitor, bob.passkey, await bob.edge.authenticator(), { name: 'Blue' })).status).toBe(
    200,
  )
  bob.edge.store.raw.exec("update credentials set kind = 'security_key' where name = 'Blue'")
  const name = bob.edge.rows(`select name from credentials where id = '${bob.passkey.credentialId}'`)[0]?.['name']
  const ask = await askForTap(bob, { kind: 'passkey', name: String(name) }, 'factorRemove')
  expect(ask).toMatchObject({ status: 409, json: { error: 'last_passkey' } })
  expect((await askForTap(bob, { kind: 'passkey', name: 'Blue' }, 'factorRemove')).status).toBe(404)
  expect(await tapFor(bob, { kind: 'security_key', name: 'Blue' }, bob, 'factorRemove')).toEqual(expect.any(String))
})

test('where passwords are not taken none is added, neither at once nor by a ticket of before', async () => {
  const { edge, passkey, visitor } = await newAdministrator({ preference: bothFactors })
  const key = await edge.authenticator()
  const body = await addBody(visitor, passkey, key, { kind: 'security_key' })
  const strict = await newEdge({ store: edge.store })
  const later = sameBrowser(visitor, strict)
  expect((await later.post('/v1/passkeys/finish', body)).status).toBe(403)
  expect(lastRefusal(strict)).toBe('security_keys_off')
  await expect(addSecurityKey(later, passkey, key)).rejects.toThrow('403')
  expect(lastRefusal(strict)).toBe('security_keys_off')
  const codesAlone = await newEdge({ store: edge.store, preference: { ...bothFactors, secondFactors: ['otp'] } })
  const there = codesAlone.visitor()
  await login(there, passkey)
  await expect(addSecurityKey(there, passkey, key)).rejects.toThrow('403')
  expect(left(edge)).toEqual(['passkey'])
})

test('a security key lets nobody in: it never may vouch, whoever tapped for it, and no invite takes its tap', async () => {
  const ada = await newAdmin({ preference: bothFactors })
  const { edge, passkey, visitor } = ada
  const key = await edge.authenticator()
  expect((await addSecurityKey(visitor, passkey, key)).status).toBe(200)
  expect(edge.rows('select kind, may_vouch from credentials order by rowid')).toEqual([
    { kind: 'passkey', may_vouch: 1 },
    { kind: 'security_key', may_vouch: 0 },
  ])
  const third = await addPasskey(visitor, key, await edge.authenticator(), { name: 'Third', tap: touch })
  expect([third.status, lastRefusal(edge)]).toEqual([401, 'credential_changed'])
  const { body } = await newInvitation('Bob')
  const { ticket } = (await askForTap(ada, body)).json
  const { options } = (await visitor.post('/v1/taps/options', { ticket })).json
  expect(options.allowCredentials.map(({ id }: { id: string }) => id)).toEqual([passkey.credentialId])
  const tap = tapHeaderOf(ticket, await key.get(options, touch))
  expect([(await addUser(ada, body, tap)).status, lastRefusal(edge)]).toEqual([401, 'credential_changed'])
})
