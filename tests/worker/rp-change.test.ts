/** A change of the relying party: what is told before, what goes on, what stops. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Authenticator, CreationOptions, RequestOptions } from '../authenticator.ts'
import { addPasskey, login, newVouchKey } from '../client.ts'
import { lastRefusal, signIn } from '../edge.ts'
import { newAdmin, newPerson, type Person, putDocuments } from '../people.ts'
import { forget, loginOfBefore, prefer, preferenceOf } from '../preferences.ts'
import { askOf } from '../program.ts'

const [old, young] = ['access.example.com', 'example.com']
const both = { webauthn: { rp_id: young, former_rp_ids: [old] } }
const youngAlone = { webauthn: { rp_id: young } }

let ada: Person
let bob: Person
beforeEach(async () => {
  ada = await newAdmin()
  bob = await newPerson(ada, 'Bob')
})

/** Ada with one more passkey, made for the new relying party by a tap of the old one. */
async function moved(): Promise<Authenticator> {
  await prefer(ada, both)
  const added = await ada.edge.authenticator()
  const reply = await addPasskey(ada.visitor, ada.passkey, added)
  expect(reply.status).toBe(200)
  return added
}

describe('before', () => {
  test('it is told whose passkeys stop working, and nothing changes', async () => {
    await moved()
    const { status, json } = await putDocuments(ada, [preferenceOf(youngAlone)])
    expect([status, json.error]).toEqual([409, 'passkeys_lost'])
    expect(json.message).toContain('With the relying party example.com these passkeys stop working: Ada (1), Bob (1).')
    expect(json.message).toContain('--force')
    expect(lastRefusal(ada.edge)).toBe('passkeys_lost')
    expect((await loginOfBefore(ada.edge.visitor(), bob.passkey, old)).status).toBe(200)
  })

  test('with force it is done, and told and written down', async () => {
    const passkey = await moved()
    const { json } = await prefer({ ...ada, passkey }, youngAlone)
    expect(json).toMatchObject({
      documents: [{ outcome: 'replaced' }],
      lost: [
        { user: 'Ada', passkeys: 1 },
        { user: 'Bob', passkeys: 1 },
      ],
    })
    const [row] = ada.edge.rows("select detail from audit where kind = 'document.put' order by seq desc limit 1")
    expect(JSON.parse(String(row?.['detail']))).toMatchObject({ passkeys_lost: 2 })
  })

  test('even force leaves somebody who can administer the cluster', async () => {
    for (const force of [false, true]) {
      const reply = await putDocuments(ada, [preferenceOf(youngAlone)], force)
      expect(reply).toMatchObject({ status: 409, json: { error: 'nobody_left' } })
    }
    expect((await login(ada.edge.visitor(), ada.passkey)).status).toBe(200)
  })

  test('without any passkey that stops nothing needs force', async () => {
    expect((await putDocuments(ada, [preferenceOf(both)])).json).toMatchObject({ lost: [] })
    const more = { ...both, default_session_ttl: '8h' }
    expect((await putDocuments(ada, [preferenceOf(more)], true)).json).toMatchObject({ lost: [] })
  })

  test('removing the preference is a change too', async () => {
    const added = await moved()
    const { status, json } = await forget(ada)
    expect([status, json.error]).toEqual([409, 'passkeys_lost'])
    expect(json.message).toContain('With the relying party access.example.com these passkeys stop working: Ada (1).')
    expect(await forget({ ...ada, passkey: added }, true)).toMatchObject({
      status: 200,
      json: { lost: [{ user: 'Ada', passkeys: 1 }] },
    })
    expect((await login(ada.edge.visitor(), added)).status).toBe(401)
    expect((await login(ada.edge.visitor(), ada.passkey)).status).toBe(200)
  })

  test.each([
    ['example.org', 'no domain above the public URL’s'],
    ['login.access.example.com', 'a host below'],
    ['ccess.example.com', 'a part of a label'],
  ])('the relying party %s is refused: %s', async (rp_id) => {
    const reply = await putDocuments(ada, [preferenceOf({ webauthn: { rp_id } })], true)
    expect(reply).toMatchObject({ status: 422, json: { error: 'rp_id_unfit' } })
    const former = { webauthn: { former_rp_ids: [rp_id] } }
    expect(await putDocuments(ada, [preferenceOf(former)], true)).toMatchObject({ status: 422 })
  })

  test('another domain is taken where it names the public URL as related', async () => {
    const webauthn = { rp_id: 'example.org', former_rp_ids: [old], related_origins: [ada.edge.site.origin] }
    expect((await putDocuments(ada, [preferenceOf({ webauthn })])).status).toBe(200)
  })
})

describe('while both are taken', () => {
  test('a passkey of before signs in where it is asked for, adds one of the new, and its approvals count', async () => {
    const added = await moved()
    const { edge } = ada
    expect((await loginOfBefore(edge.visitor(), ada.passkey, old)).status).toBe(200)
    expect((await login(edge.visitor(), added)).status).toBe(200)
    expect(edge.rows('select rp_id from credentials order by created_at, rowid').map((row) => row['rp_id'])).toEqual([
      old,
      old,
      young,
    ])
    const { parameters } = askOf(bob.program.key)
    const { json } = await bob.visitor.post('/v1/authorize/begin', { request: parameters })
    expect(json.options).toMatchObject({ rpId: old, allowCredentials: [{ id: bob.passkey.credentialId }] })
  })

  test('the new one is asked for where there are both, and of it only', async () => {
    const added = await moved()
    const visitor = await signIn(ada.edge, added)
    const { vouch_key } = await newVouchKey()
    const { json } = await visitor.post('/v1/passkeys/begin', { name: 'Third', vouch_key })
    const { tap, create } = json as { tap: RequestOptions & { allowCredentials: unknown[] }; create: CreationOptions }
    expect(tap).toMatchObject({ rpId: young, allowCredentials: [{ id: added.credentialId }] })
    expect(create).toMatchObject({ rp: { id: young } })
  })

  test('the page offers the name of before', async () => {
    await moved()
    expect((await ada.edge.visitor().get('/')).text).toContain(`data-rp-id="${old}"`)
  })

  test('a relying party that is none of them is not offered', async () => {
    const reply = await ada.edge.visitor().post('/v1/login/begin', { rp_id: young })
    expect(reply).toMatchObject({ status: 403, json: { error: 'passkeys_elsewhere' } })
  })
})

describe('afterwards', () => {
  test('a passkey of before is refused, and who has no other is told why', async () => {
    const added = await moved()
    await prefer({ ...ada, passkey: added }, youngAlone)
    const { edge } = ada
    expect((await loginOfBefore(edge.visitor(), bob.passkey, old)).status).toBe(403)
    expect((await login(edge.visitor(), bob.passkey, { rpId: old })).status).toBe(401)
    expect((await login(edge.visitor(), added)).status).toBe(200)
    const { parameters } = askOf(bob.program.key)
    expect(await bob.visitor.post('/v1/authorize/begin', { request: parameters })).toMatchObject({
      status: 403,
      json: { error: 'passkeys_elsewhere' },
    })
    expect((await ada.edge.visitor().get('/')).text).not.toContain('data-rp-id')
  })
})

test('/.well-known/webauthn names the origins, whatever the host', async () => {
  await prefer(ada, { webauthn: { related_origins: ['https://access.example.org'] } })
  for (const host of ['access.example.com', 'old.example.net']) {
    const reply = await ada.edge.app.request(`https://${host}/.well-known/webauthn`)
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await reply.json()).toEqual({ origins: ['https://access.example.com', 'https://access.example.org'] })
  }
})
