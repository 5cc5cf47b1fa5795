/** Several sessions by one tap, at the edge: each is decided, one that is refused refuses all, and the grant is for exactly what was tapped. */
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Document } from '../../../core/access/document.ts'
import type { SessionSetAsk } from '../../../core/access/request-session-set.ts'
import { minutes, seconds } from '../../../core/model.ts'
import { intentIn } from '../../client.ts'
import { lastRefusal, newLogin } from '../../edge.ts'
import {
  askFor,
  beginSession,
  exchangeForm,
  newBoot,
  newProxy,
  newSessionAdmin,
  pgDocument,
  putDocuments,
  readerRole,
  setOf,
  tapTicket,
} from '../../proxies.ts'
import { race, statuses } from '../../race.ts'

async function newWorld(tap = true) {
  const far = pgDocument('far', { labels: { env: 'prod' } })
  const admin = await newSessionAdmin(pgDocument('pg-1'), pgDocument('pg-2'), readerRole('db-reader', tap), far)
  const { edge, passkey, visitor, program, token, proxy } = admin
  const both = setOf(proxy, { 'pg-1': 3, 'pg-2': 1 })
  const begin = (ask: SessionSetAsk = both) => beginSession(program, token, ask)
  const tapped = async (ask = both) => tapTicket(visitor, passkey, (await begin(ask)).json.ticket)
  const exchange = (tapText: string | undefined, ask: Parameters<typeof exchangeForm>[1] = both) =>
    program.token(exchangeForm(token, ask, tapText))
  const grants = () =>
    edge.rows("select detail, intent_id, evidence from audit where kind = 'session.grant' and outcome = 'done'")
  return { ...admin, both, begin, tapped, exchange, grants }
}

describe('a set of sessions', () => {
  test('begins with a ticket that lists it; the tap makes one grant, and a row for each resource in its batch', async () => {
    const { edge, proxy, both, begin, exchange, visitor, passkey, program, grants } = await newWorld()
    const begun = await begin()
    expect(begun).toMatchObject({ status: 200, json: { tap: true } })
    expect(intentIn(begun.json.ticket).subject).toEqual({
      ...both,
      client_key: program.key.jkt,
      address: program.visitor.address,
    })
    const { status, json } = await exchange(await tapTicket(visitor, passkey, begun.json.ticket))
    expect({ status, json }).toMatchObject({ status: 200, json: { token_type: 'DPoP', expires_in: 60 } })
    const { tap, session, aud } = decodeJwt(json.access_token) as { tap: { intent: { subject: object } } } & Record<
      string,
      unknown
    >
    expect(aud).toBe(proxy.id)
    expect(tap.intent.subject).toMatchObject(both)
    // It stands in the grant once: it must pass in one line of a head.
    expect(session).toBeUndefined()
    const rows = grants()
    expect(rows.map(({ detail }) => JSON.parse(String(detail)))).toMatchObject([
      { resource: 'pg-1', as: 'user reader, database orders', count: 3, proxy: proxy.id },
      { resource: 'pg-2', count: 1 },
    ])
    expect(new Set(rows.map(({ intent_id }) => intent_id)).size).toBe(1)
    expect(String(rows[0]?.['evidence'])).toContain(String(rows[0]?.['intent_id']))
    expect(
      edge.rows("select id from spent where id = (select intent_id from audit where kind = 'session.grant')"),
    ).toHaveLength(1)
  })

  test('its page lists each with its count, and nothing else', async () => {
    const { edge, begin, visitor, proxy } = await newWorld()
    const { json } = await begin()
    const { text } = await visitor.get(json.approve_url.replace(edge.site.origin, ''))
    const plain = text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
    expect(plain).toContain('open these sessions on')
    expect(plain).toContain('pg-1 as reader, pg-2 as reader')
    expect(plain).toMatch(/ pg-1 the database, database user reader , database orders , 3 times pg-2 .* , once And/)
    expect(plain).toContain('And nothing else 4 sessions in all')
    expect(plain).toContain(proxy.id)
  })

  test('one tap makes one grant, raced 50 ways', async () => {
    const { tapped, exchange, grants } = await newWorld()
    const tap = await tapped()
    expect(statuses(await race(50, () => exchange(tap)))).toEqual({ 200: 1, 400: 49 })
    expect(grants()).toHaveLength(2)
  })

  test('where none of it wants a tap there is none to give', async () => {
    const { begin } = await newWorld(false)
    expect((await begin()).json).toEqual({ tap: false })
  })

  test('where one wants a tap, the others may stand beside it', async () => {
    const { acting, edge, begin, tapped, exchange } = await newWorld(false)
    const strict = readerRole('db-strict') as { spec: { allow: object } }
    const allow = { db_labels: { name: 'pg-2' }, db_users: ['reader'], db_names: ['orders'] }
    const named = pgDocument('pg-2', { labels: { env: 'dev', name: 'pg-2' } })
    await putDocuments(acting, named, { ...strict, spec: { ...strict.spec, allow } } as never)
    edge.store.raw.exec("insert into user_roles select id, 'db-strict' from users")
    expect((await begin()).json.tap).toBe(true)
    expect((await exchange(await tapped())).status).toBe(200)
  })

  test('a tap shortly before its end makes a grant that ends with it', async () => {
    const { edge, tapped, exchange } = await newWorld()
    const tap = await tapped()
    edge.advance(minutes(5) - seconds(10))
    const { status, json } = await exchange(tap)
    expect(status).toBe(200)
    const { exp } = decodeJwt(json.access_token)
    expect(json.expires_in).toBeLessThanOrEqual(10)
    expect(exp).toBe(intentIn(JSON.parse(Buffer.from(tap, 'base64url').toString()).ticket).exp)
  })
})

const lock: Document = {
  ...{ kind: 'lock', version: 'v2', metadata: { name: 'l' } },
  spec: { target: { db: 'pg-2' }, message: 'Broken.' },
}

describe('one that is refused refuses all, by its name', () => {
  test('when it is asked for, and nothing is written', async () => {
    const { edge, begin, proxy, grants } = await newWorld()
    const refused = await begin(setOf(proxy, { 'pg-1': 1, far: 1 }))
    expect(refused).toMatchObject({
      status: 403,
      json: { message: expect.stringMatching(/^far: No role of yours allows far /) },
    })
    const { sessions, ...more } = setOf(proxy, { 'pg-1': 1, 'pg-2': 1 })
    const writer = sessions.map((one, at) =>
      at === 1 ? { ...one, principal: { db_user: 'writer', db_name: 'orders' } } : one,
    )
    expect(await begin({ sessions: writer, ...more })).toMatchObject({
      status: 403,
      json: { message: expect.stringMatching(/^pg-2: No role of yours allows pg-2 \(user writer/) },
    })
    expect(lastRefusal(edge)).toBe('session_refused')
    expect(grants()).toHaveLength(0)
  })

  test.each([
    ['a lock', lock, /^pg-2: .*Broken\./],
    ['another label', pgDocument('pg-1', { labels: { env: 'prod' } }), /^pg-1: No role of yours allows pg-1 /],
  ])('when the tap is shown, after %s came upon it', async (_, document, told) => {
    const { acting, tapped, exchange, grants } = await newWorld()
    const tap = await tapped()
    await putDocuments(acting, document)
    expect(await exchange(tap)).toMatchObject({ status: 403, json: { message: expect.stringMatching(told) } })
    expect(grants()).toHaveLength(0)
  })
})

describe('a tap for one thing makes no grant for another', () => {
  test('without one there is none', async () => {
    const { edge, exchange } = await newWorld()
    expect(await exchange(undefined)).toMatchObject({ status: 403, json: { error: 'tap_required' } })
    expect(lastRefusal(edge)).toBe('tap_wanted')
  })

  test('of a set: none for one session of it, for another process, or for another proxy', async () => {
    const { edge, proxy, tapped, exchange } = await newWorld()
    const tap = await tapped()
    const other = await newProxy(edge, 'p2')
    for (const ask of [askFor(proxy), setOf({ ...proxy, boot: newBoot() }, {}), setOf(other, {})]) {
      expect((await exchange(tap, ask)).status).toBe(400)
      expect(lastRefusal(edge)).toBe('wrong_subject')
    }
    expect((await exchange(tap)).status).toBe(200)
  })

  test('of one session, or of a login: none for a set', async () => {
    const { edge, program, token, proxy, exchange, visitor, passkey } = await newWorld()
    const { ticket } = (await beginSession(program, token, askFor(proxy))).json
    expect((await exchange(await tapTicket(visitor, passkey, ticket))).status).toBe(400)
    expect(lastRefusal(edge)).toBe('wrong_subject')
    const login = (await visitor.post('/v1/login/begin', {})).json
    const assertion = await passkey.get(login.options)
    const sent = Buffer.from(JSON.stringify({ ticket: login.ticket, assertion })).toString('base64url')
    expect((await exchange(sent)).status).toBe(400)
    expect(lastRefusal(edge)).toBe('wrong_purpose')
  })

  test('of one program: none for another, nor for another user', async () => {
    const { edge, tapped, both, visitor, passkey } = await newWorld()
    const other = await newLogin(edge, visitor, passkey)
    const reply = await other.program.token(exchangeForm(other.tokens.access_token, both, await tapped()))
    expect(reply.status).toBe(400)
    expect(lastRefusal(edge)).toBe('wrong_holder')
  })

  test('a ticket that says another count than was sealed is none', async () => {
    const { edge, begin, exchange, visitor, passkey } = await newWorld()
    const { ticket } = (await begin()).json
    const [content = '', seal] = ticket.split('.')
    const more = Buffer.from(content, 'base64url').toString().replace('"count":1', '"count":9')
    const { options } = (await visitor.post('/v1/taps/options', { ticket })).json
    const assertion = await passkey.get(options)
    const altered = `${Buffer.from(more).toString('base64url')}.${seal}`
    const sent = Buffer.from(JSON.stringify({ ticket: altered, assertion })).toString('base64url')
    expect((await exchange(sent)).status).toBe(400)
    expect(lastRefusal(edge)).toBe('ticket_invalid')
  })
})

describe('what is no set', () => {
  const names = (length: number, name: (at: number) => string) =>
    Object.fromEntries(Array.from({ length }, (_, at) => [name(at), 1]))
  test.each([
    ['none', {}, /1 to 32 resources/],
    ['no times', { 'pg-1': 0 }, /opens 1 to 16 times/],
    ['seventeen times', { 'pg-1': 17 }, /opens 1 to 16 times/],
    ['more than passes as a grant', names(32, (at) => `pg-${'x'.repeat(50)}-${at}`), /too long: name fewer/],
  ])('%s', async (_, counts, told) => {
    const { edge, proxy, begin } = await newWorld()
    expect(await begin(setOf(proxy, counts))).toMatchObject({
      status: 400,
      json: { error: 'invalid_target', message: expect.stringMatching(told) },
    })
    expect(lastRefusal(edge)).toBe('target_invalid')
  })

  test('one resource twice, and 33 of them', async () => {
    const { proxy, begin, both } = await newWorld()
    const twice = { ...both, sessions: [...both.sessions, ...both.sessions] }
    expect((await begin(twice)).json.message).toContain('pg-1 stands in it twice')
    expect(
      (
        await begin(
          setOf(
            proxy,
            names(33, (at) => `pg-${at}`),
          ),
        )
      ).status,
    ).toBe(400)
  })

  test('32 of the longest that fit have a ticket and a tap that the edge reads again', async () => {
    const { acting, proxy, tapped, exchange } = await newWorld()
    const counts = names(32, (at) => `pg-${10 + at}`)
    const all = Object.keys(counts).map((name) => pgDocument(name))
    await putDocuments(acting, ...all)
    const ask = setOf(proxy, counts)
    const { status, json } = await exchange(await tapped(ask), ask)
    expect(status).toBe(200)
    // With the name of its field, and room for a longer origin and key.
    expect(json.access_token.length).toBeLessThan(7900)
  })
})
