/** What proxies are told: only registered ones, stated for their nonce, counted by every change, written once. */
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../core/lib/bytes.ts'
import { readStatement, type Snapshot, snapshotHash } from '../../../core/snapshot.ts'
import { addPasskey, login, removePasskey } from '../../client.ts'
import { lastRefusal, newAdministrator, newEdge, newLogin, type TestEdge } from '../../edge.ts'
import { call } from '../../people.ts'
import { newProxy, pgDocument, putDocuments, readerRole, type TestProxy } from '../../proxies.ts'

const path = '/v1/proxy/snapshot'

async function trustedOf(edge: TestEdge) {
  const { kid } = await edge.ports.keyring.current()
  const key = await edge.ports.keyring.verifier(kid)
  return { issuer: edge.site.origin, keys: new Map([[kid, key as CryptoKey]]) }
}

async function ask(edge: TestEdge, proxy: TestProxy, have?: string) {
  const reply = await proxy.call(path, { nonce: 'n1', ...(have !== undefined && { have }) })
  expect(reply.status).toBe(200)
  const statement = await readStatement(await trustedOf(edge), reply.json.statement)
  if (!statement) throw new Error('no statement')
  return { statement, snapshot: reply.json.snapshot as Snapshot | undefined }
}

describe('a snapshot', () => {
  test('says which of the logins that were asked about are over, and nothing of others', async () => {
    const { edge, passkey, visitor } = await newAdministrator()
    const [first, second] = [await newLogin(edge, visitor, passkey), await newLogin(edge, visitor, passkey)]
    const idOf = ({ tokens }: typeof first) => String(decodeJwt(tokens.access_token)['sid'])
    const proxy = await newProxy(edge)
    const endedOf = async (logins?: readonly string[]) => {
      const reply = await proxy.call(path, { nonce: 'n1', ...(logins && { logins }) })
      expect(reply.status).toBe(200)
      return (await readStatement(await trustedOf(edge), reply.json.statement))?.ended_logins
    }
    const both = [idOf(first), idOf(second)]
    expect(await endedOf(both)).toEqual([])
    const { status } = await visitor.post(`/v1/client-sessions/${idOf(first)}/end`, {})
    expect(status).toBe(200)
    expect(await endedOf(both)).toEqual([idOf(first)])
    expect(await endedOf([idOf(second), 'no such login'])).toEqual(['no such login'])
    expect(await endedOf(Array.from({ length: 5120 }, () => 'x'.repeat(22)))).toHaveLength(5120)
    expect(await endedOf()).toBeUndefined()
    expect((await proxy.call(path, { nonce: 'n1', logins: Array.from({ length: 5121 }, () => 'x') })).status).toBe(400)
  })

  test('holds users, passkeys, documents and keys, and is stated for this proxy and nonce', async () => {
    const { edge, passkey, visitor } = await newAdministrator()
    const { program, tokens } = await newLogin(edge, visitor, passkey)
    await putDocuments({ program, token: tokens.access_token, visitor, passkey }, pgDocument(), readerRole())
    const proxy = await newProxy(edge)
    const { statement, snapshot } = await ask(edge, proxy)
    expect(statement).toMatchObject({ proxy: proxy.id, nonce: 'n1', at: edge.ports.now() })
    if (!snapshot) throw new Error('no snapshot')
    expect(snapshotHash(snapshot)).toBe(statement.hash)
    expect(snapshot).toMatchObject({ cluster: 'test', issuer: edge.site.origin, rp_id: edge.site.rpId })
    expect(snapshot.users).toMatchObject([{ name: 'Ada', roles: ['access', 'auditor', 'editor'] }])
    expect(snapshot.credentials).toMatchObject([{ id: passkey.credentialId }])
    expect(snapshot.documents.map(({ metadata }) => metadata.name)).toEqual(['pg-1', 'db-reader'])
    expect(snapshot.keys).toHaveLength(2)
    expect(JSON.stringify(snapshot)).not.toMatch(/secret|sealed/i)
  })

  test('that the proxy has is not sent again, and "unchanged" is stated all the same', async () => {
    const { edge } = await newAdministrator()
    const proxy = await newProxy(edge)
    const first = await ask(edge, proxy)
    const again = await ask(edge, proxy, first.statement.hash)
    expect(again.snapshot).toBeUndefined()
    expect(again.statement).toMatchObject({ hash: first.statement.hash, sequence: first.statement.sequence })
  })

  test('every change moves its count: documents, roles, passkeys, users, signing keys; a login does not', async () => {
    const { edge, passkey, visitor } = await newAdministrator()
    const { program, tokens } = await newLogin(edge, visitor, passkey)
    const token = tokens.access_token
    const proxy = await newProxy(edge)
    const sequence = async () => (await ask(edge, proxy)).statement.sequence
    const second = await edge.authenticator()
    const changes: [string, () => Promise<unknown>, boolean][] = [
      ['login', () => login(edge.visitor(), passkey), false],
      ['document put', () => putDocuments({ program, token, visitor, passkey }, pgDocument()), true],
      ['document put again, unchanged', () => putDocuments({ program, token, visitor, passkey }, pgDocument()), false],
      ['document removed', () => call({ program, token, visitor, passkey }, 'DELETE', '/v1/documents/db/pg-1'), true],
      ['passkey added', () => addPasskey(visitor, passkey, second), true],
      ['passkey removed', () => removePasskey(visitor, passkey, second.credentialId), true],
      ['keys rotated', () => call({ program, token, visitor, passkey }, 'POST', '/v1/keys/rotate', {}), true],
    ]
    for (const [name, change, moves] of changes) {
      const before = await sequence()
      await change()
      expect((await sequence()) > before, name).toBe(moves)
    }
  })
})

describe('who may ask', () => {
  test.each<[string, Parameters<TestProxy['call']>[2]]>([
    ['another method', { method: 'GET' }],
    ['another address', { url: 'https://access.example.com/v1/proxy/events' }],
    ['another body', { body: utf8('{"nonce":"n2"}') }],
    ['a proxy that nobody registered', { id: 'A'.repeat(43) }],
    ['a minute ago', { at: 1_800_000_000_000 - 60_000 }],
  ])('not with a proof for %s', async (_, wrong) => {
    const { edge } = await newAdministrator()
    const proxy = await newProxy(edge)
    expect(await proxy.call(path, { nonce: 'n1' }, wrong)).toMatchObject({
      status: 401,
      json: { error: 'proxy_unproven' },
    })
    expect(lastRefusal(edge)).toBe('proxy_unproven')
  })

  test('not with the key of another proxy, and not once it is removed', async () => {
    const edge = await newEdge()
    const [one, other] = [await newProxy(edge, 'one'), await newProxy(edge, 'other')]
    expect((await one.call(path, { nonce: 'n1' }, { key: other.key })).status).toBe(401)
    const event = {
      at: 0,
      kind: 'proxy.remove',
      outcome: 'done',
      asking: { requestId: 't', from: { address: '', place: '', browser: '' } },
    } as const
    await edge.ports.proxies.remove('one', event)
    expect((await one.call(path, { nonce: 'n1' })).status).toBe(401)
    expect((await other.call(path, { nonce: 'n1' })).status).toBe(200)
  })

  test('not without any proof', async () => {
    const edge = await newEdge()
    const reply = await edge.visitor().request('POST', path, '{"nonce":"n"}', { 'content-type': 'application/json' })
    expect(reply.status).toBe(401)
  })
})

describe('events', () => {
  const event = {
    at: 1_800_000_000_000,
    kind: 'session.start',
    session: 's1',
    user: 'u1',
    resource: 'pg-1',
    address: '192.0.2.9',
  }

  test('are written once, however often they are told', async () => {
    const { edge } = await newAdministrator()
    const proxy = await newProxy(edge)
    const events = [
      { ...event, id: 'e1' },
      { ...event, id: 'e2', kind: 'session.stop' },
    ]
    await Promise.all(Array.from({ length: 20 }, () => proxy.call('/v1/proxy/events', { events })))
    expect(edge.rows("select kind, address from audit where kind like 'session.st%' order by kind")).toEqual([
      { kind: 'session.start', address: '192.0.2.9' },
      { kind: 'session.stop', address: '192.0.2.9' },
    ])
  })

  test('of two proxies with one id are two', async () => {
    const edge = await newEdge()
    const [one, other] = [await newProxy(edge, 'one'), await newProxy(edge, 'other')]
    for (const proxy of [one, other]) await proxy.call('/v1/proxy/events', { events: [{ ...event, id: 'e1' }] })
    expect(edge.rows("select seq from audit where kind = 'session.start'")).toHaveLength(2)
  })
})
