/** From a wish to a grant at the edge: what roles say, the tap for exactly this session, the exchange. */
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../core/intent.ts'
import { readGrant } from '../../../core/issue/grant.ts'
import { lastRefusal, newLogin, signIn } from '../../edge.ts'
import { call } from '../../people.ts'
import {
  askFor,
  beginSession,
  exchangeForm,
  newBoot,
  newSessionAdmin,
  pgDocument,
  putDocuments,
  readerRole,
  tapTicket,
} from '../../proxies.ts'

/** An administrator whose own role wants a tap for each session on pg-1. */
async function newWorld(tap = true) {
  const admin = await newSessionAdmin(pgDocument(), readerRole('db-reader', tap))
  const { passkey, visitor, program, token, proxy } = admin
  const exchange = (ask = askFor(proxy), sent?: string) => program.token(exchangeForm(token, ask, sent))
  const begin = (ask = askFor(proxy)) => beginSession(program, token, ask)
  const tapped = async (ask = askFor(proxy)) => tapTicket(visitor, passkey, (await begin(ask)).json.ticket)
  return { ...admin, exchange, begin, tapped }
}

describe('a session that wants a tap', () => {
  test('begins with a ticket and nothing written, and a tap makes it a grant with the tap inside', async () => {
    const { edge, program, proxy, begin, exchange, passkey, visitor } = await newWorld()
    const before = edge.rows('select count(*) as n from spent')[0]?.['n']
    const begun = await begin()
    expect(begun).toMatchObject({ status: 200, json: { tap: true } })
    expect(begun.json.approve_url).toContain('/approve?ticket=')
    // The proof of the call itself is all that was spent.
    expect(Number(edge.rows('select count(*) as n from spent')[0]?.['n']) - Number(before)).toBe(1)
    const page = await visitor.get(begun.json.approve_url.replace(edge.site.origin, ''))
    expect(page.text).toMatch(/pg-1 as reader/)
    const tap = await tapTicket(visitor, passkey, begun.json.ticket)
    const { status, json } = await exchange(askFor(proxy), tap)
    expect(status).toBe(200)
    expect(json).toMatchObject({ token_type: 'DPoP', expires_in: 60 })
    const keys = new Map([[(await edge.ports.keyring.published())[0]?.kid ?? '', undefined]])
    expect(keys.size).toBe(1)
    const kid = String((await edge.ports.keyring.current()).kid)
    const verifier = await edge.ports.keyring.verifier(kid)
    const reader = {
      issuer: edge.site.origin,
      keys: new Map([[kid, verifier as CryptoKey]]),
      proxy,
      now: edge.ports.now(),
    }
    const grant = await readGrant(reader, json.access_token)
    expect(grant).toMatchObject({ clientKey: program.key.jkt, subject: askFor(proxy) })
    expect(grant.tap?.intent.id).toBe(grant.id)
    const [row] = edge.rows("select kind, evidence, detail from audit where kind = 'session.grant'")
    expect(String(row?.['evidence'])).toContain(grant.id)
    expect(String(row?.['detail'])).toContain('db-reader: allows')
  })

  test('is refused at the exchange without the tap', async () => {
    const { edge, exchange } = await newWorld()
    expect(await exchange()).toMatchObject({ status: 403, json: { error: 'tap_required' } })
    expect(lastRefusal(edge)).toBe('tap_wanted')
  })

  test('one tap makes one grant, raced 50 ways', async () => {
    const { edge, proxy, tapped, exchange } = await newWorld()
    const tap = await tapped()
    const replies = await Promise.all(Array.from({ length: 50 }, () => exchange(askFor(proxy), tap)))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(edge.rows("select seq from audit where kind = 'session.grant' and outcome = 'done'")).toHaveLength(1)
  })

  test.each([
    ['another resource', { resource: { kind: 'db', name: 'pg-2' } }],
    ['another user', { principal: { db_user: 'writer', db_name: 'orders' } }],
    ['another database', { principal: { db_user: 'reader', db_name: 'billing' } }],
    ['another process of the proxy', { proxy: { boot: newBoot() } }],
  ])('a tap for one session opens none on %s', async (_, other) => {
    const { edge, program, token, proxy, tapped, exchange, visitor, passkey } = await newWorld()
    const everything = { db_labels: { env: ['dev'] }, db_users: ['*'], db_names: ['*'] }
    const role = readerRole('db-all') as { spec: object }
    await putDocuments({ program, token, visitor, passkey }, pgDocument('pg-2'), {
      ...role,
      spec: { ...role.spec, allow: everything },
    } as never)
    edge.store.raw.exec("insert into user_roles select id, 'db-all' from users")
    const tap = await tapped()
    const ask = askFor(proxy)
    const asked = { ...ask, ...other, proxy: { ...ask.proxy, ...('proxy' in other ? other.proxy : {}) } } as typeof ask
    expect((await exchange(asked, tap)).status).toBe(400)
    expect(lastRefusal(edge)).toBe('wrong_subject')
  })

  test('a tap of the wrong login’s program opens nothing', async () => {
    const { edge, visitor, passkey, proxy, tapped } = await newWorld()
    const tap = await tapped()
    const other = await newLogin(edge, visitor, passkey)
    const reply = await other.program.token(exchangeForm(other.tokens.access_token, askFor(proxy), tap))
    expect(reply.status).toBe(400)
    expect(lastRefusal(edge)).toBe('wrong_holder')
  })

  test('somebody with the cookie alone gets no grant', async () => {
    const { edge, visitor, begin } = await newWorld()
    const thief = visitor.copy()
    const { ticket } = (await begin()).json
    const own = await edge.authenticator()
    const tap = await tapTicket(thief, own, ticket)
    expect(tap.length).toBeGreaterThan(0)
    expect(edge.rows("select seq from audit where kind = 'session.grant' and outcome = 'done'")).toHaveLength(0)
  })
})

describe('a session that wants none', () => {
  test('is granted at once', async () => {
    const { begin, exchange } = await newWorld(false)
    expect(await begin()).toMatchObject({ status: 200, json: { tap: false } })
    const { status, json } = await exchange()
    expect(status).toBe(200)
    expect(decodeJwt(json.access_token)['tap']).toBeUndefined()
  })
})

describe('what roles and locks refuse', () => {
  test('with the rule and what would help', async () => {
    const { edge, begin, proxy } = await newWorld()
    const ask = { ...askFor(proxy), principal: { db_user: 'writer', db_name: 'orders' } }
    const { status, json } = await begin(ask)
    expect(status).toBe(403)
    expect(json.message).toBe(
      'No role of yours allows pg-1 (user writer, database orders). Your roles allow --db-user=reader and --db-name=orders there. Try: sallyport db connect pg-1 --db-user=reader --db-name=orders',
    )
    expect(lastRefusal(edge)).toBe('session_refused')
  })

  test('no such resource, no such proxy', async () => {
    const { begin, proxy } = await newWorld()
    expect(await begin(askFor(proxy, 'pg-9'))).toMatchObject({ status: 404, json: { error: 'resource_unknown' } })
    expect(await begin(askFor({ ...proxy, id: 'A'.repeat(43) }))).toMatchObject({
      status: 400,
      json: { error: 'invalid_target' },
    })
  })

  test('a lock: no new grant from that moment on, whatever was tapped before', async () => {
    const { edge, visitor, passkey, program, token, proxy, tapped, exchange } = await newWorld()
    const tap = await tapped()
    edge.store.raw.exec("update users set name = 'Ada B', name_key = 'ada b'")
    edge.store.raw.exec(
      'insert into documents (kind, name, document, revision, lock_key, updated_at, updated_by) select \'lock\', \'l\', \'{"kind":"lock","version":"v2","metadata":{"name":"l"},"spec":{"target":{"user":"Ada B"},"message":"Away."}}\', \'r\', \'user:ada b\', 0, id from users',
    )
    expect(await exchange(askFor(proxy), tap)).toMatchObject({
      status: 403,
      json: { message: expect.stringContaining('Away.') },
    })
    expect(program).toBeDefined()
    expect(token).toBeDefined()
    await expect(signIn(edge, passkey)).rejects.toThrow(/locked/)
    expect(visitor).toBeDefined()
  })
})

describe('resources', () => {
  test('lists what the roles of the user reach, and as whom', async () => {
    const { program, token, visitor, passkey } = await newWorld()
    await putDocuments({ program, token, visitor, passkey }, pgDocument('far', { labels: { env: 'prod' } }))
    const { json } = await program.call('GET', '/v1/resources', token)
    expect(json.resources).toEqual([
      {
        kind: 'db',
        name: 'pg-1',
        labels: { env: 'dev' },
        protocol: 'postgres',
        allowed: { db_users: ['reader'], db_names: ['orders'] },
        tap: true,
      },
    ])
  })
})

describe('a cluster that wants a tap for each session', () => {
  const preference = (spec: object) => ({ kind: 'cluster_auth_preference', version: 'v2', metadata: {}, spec })

  test('wants it whatever the role says, and tells so where resources are listed', async () => {
    const { edge, program, token, exchange, begin, tapped, visitor, passkey } = await newWorld(false)
    expect((await begin()).json).toMatchObject({ tap: false })
    const body = { documents: [preference({ require_session_mfa: true })] } as unknown as Json
    expect((await call({ program, token, visitor, passkey }, 'POST', '/v1/documents', body)).status).toBe(200)
    expect(await exchange()).toMatchObject({ status: 403, json: { error: 'tap_required' } })
    expect(lastRefusal(edge)).toBe('tap_wanted')
    const { json } = await program.call('GET', '/v1/resources', token)
    expect(json).toMatchObject({ resources: [{ name: 'pg-1', tap: true }] })
    expect((await exchange(undefined, await tapped())).status).toBe(200)
  })
})
