/** A code in the place of the tap for a session, at the edge: where codes are the one second factor, of who has no passkey. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { intentIn } from '../../client.ts'
import { askFor, beginSession, newProxy, setOf } from '../../proxies.ts'
import { beginByCode, exchangeCode, grantByCode, newCodeReader, typeCode } from '../../session-codes.ts'

test('the page asks for a code, the edge takes it, and the grant says that one was given', async () => {
  const { edge, bob, nextCode } = await newCodeReader()
  const ask = askFor(await newProxy(edge))
  const begun = await beginSession(bob.program, bob.token, ask)
  const page = await bob.visitor.get(begun.json.approve_url.replace(edge.site.origin, ''))
  expect(page.text).toContain('Approve with a code')
  expect(page.text).not.toMatch(/current-password|Approve with a passkey/)
  const { ticket } = begun.json
  const typed = await typeCode(bob.visitor, ticket, nextCode())
  const [app] = edge.rows('select id, last_step from totps')
  expect(typed).toMatchObject({ status: 200, json: { app: app?.['id'] } })
  const { status, json } = await exchangeCode(bob, ask, ticket, typed.json.app)
  expect(status).toBe(200)
  const claims = decodeJwt(json.access_token)
  expect(claims).toMatchObject({
    code: { app: app?.['id'] },
    jti: intentIn(ticket).id,
    session: { resource: { name: 'pg-1' } },
  })
  expect(claims['tap']).toBeUndefined()

  const rows = edge.rows(
    "select kind, intent_id, credential_id, detail, evidence from audit where kind in ('session.approve', 'session.grant') order by seq",
  )
  expect(rows.map(({ kind, intent_id, credential_id }) => [kind, intent_id, credential_id])).toEqual([
    ['session.approve', intentIn(ticket).id, null],
    ['session.grant', intentIn(ticket).id, null],
  ])
  expect(JSON.parse(String(rows[0]?.['evidence']))).toEqual({
    intent: intentIn(ticket),
    factor: { kind: 'totp', id: app?.['id'], step: app?.['last_step'] },
  })
  expect(JSON.parse(String(rows[1]?.['detail']))).toMatchObject({ resource: 'pg-1', factor: 'totp' })
})

test('one code approves a listed set, with a row for each', async () => {
  const { edge, bob, nextCode } = await newCodeReader()
  const proxy = await newProxy(edge)
  const grant = decodeJwt(await grantByCode(bob, setOf(proxy, { 'pg-1': 2, 'pg-2': 1 }), nextCode))
  expect(grant).toMatchObject({ session: setOf(proxy, { 'pg-1': 2, 'pg-2': 1 }), code: {} })
  expect(edge.rows("select detail from audit where kind = 'session.grant' and outcome = 'done'")).toHaveLength(2)
})

test('refusing needs no code, and ends nothing', async () => {
  const { edge, bob } = await newCodeReader()
  const ticket = await beginByCode(bob, askFor(await newProxy(edge)))
  const refused = await bob.visitor.post('/v1/taps/refuse', {
    ticket,
    redirect_uri: 'http://127.0.0.1:49152/callback',
    state: 's',
  })
  expect(refused).toMatchObject({ status: 200 })
  expect((await bob.program.call('GET', '/v1/me', bob.token)).status).toBe(200)
})
