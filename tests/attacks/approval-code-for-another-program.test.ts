/** Password and code that were typed on the page of one program approve exactly that request, in that browser, as a tap does. */
import { expect, test } from 'vitest'
import { builtInClients } from '../../core/oauth/clients.ts'
import { ceremonyCookieName, loginBody } from '../client.ts'
import { codeBody, codesOf, deviceCodeBody, newCodeDeviceFlow, newCodePerson } from '../code-approvals.ts'
import { askForCodes, poll } from '../device-flow.ts'
import { lastRefusal } from '../edge.ts'
import { askOf, newProofKey } from '../program.ts'

const clients = new Map([...builtInClients, ['other', { id: 'other', name: 'Another program' }]])

const changes: Record<string, () => Promise<Record<string, string>>> = {
  client: async () => ({ client_id: 'other' }),
  port: async () => ({ redirect_uri: 'http://127.0.0.1:1/callback' }),
  challenge: async () => ({ code_challenge: 'A'.repeat(43) }),
  state: async () => ({ state: 'another' }),
  key: async () => ({ dpop_jkt: (await newProofKey()).jkt }),
  scope: async () => ({ scope: 'openid' }),
}

test('what was typed for one request approves none that differs, and the code is not used up', async () => {
  const { edge, visitor, code } = await newCodePerson(['access'], { clients })
  const { parameters } = askOf((await edge.program()).key)
  const body = await codeBody(visitor, parameters, { code: code() })
  for (const [what, change] of Object.entries(changes)) {
    const request = { ...parameters, ...(await change()) }
    expect((await visitor.post('/v1/authorize/finish', { ...body, request })).status, what).toBe(401)
    expect(lastRefusal(edge), what).toBe('wrong_subject')
  }
  expect(codesOf(edge)).toEqual([])
  expect((await visitor.post('/v1/authorize/finish', body)).status).toBe(200)
})

test('a ticket of another browser, of a login, of another user, or an altered one approves nothing', async () => {
  const { edge, admin, visitor, code } = await newCodePerson()
  const { parameters } = askOf((await edge.program()).key)
  const body = await codeBody(visitor, parameters, { code: code() })
  const elsewhere = visitor.copy()
  elsewhere.cookies.delete(ceremonyCookieName)
  expect((await elsewhere.post('/v1/authorize/finish', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
  const { ticket: login } = await loginBody(visitor, admin.passkey)
  const adas = (await admin.visitor.post('/v1/authorize/begin', { request: parameters })).json.ticket as string
  for (const [ticket, why] of [
    [login, 'wrong_purpose'],
    [adas, 'wrong_holder'],
    [`${body.ticket}A`, 'ticket_invalid'],
  ] as const) {
    expect((await visitor.post('/v1/authorize/finish', { ...body, ticket })).status).toBe(401)
    expect(lastRefusal(edge)).toBe(why)
  }
  const mixed = visitor.copy()
  mixed.cookies.set(ceremonyCookieName, admin.visitor.cookies.get(ceremonyCookieName) ?? '')
  expect((await mixed.post('/v1/authorize/finish', { ...body, ticket: adas })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  edge.advance(5 * 60_000)
  expect((await visitor.post('/v1/authorize/finish', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('ticket_expired')
  expect(codesOf(edge)).toEqual([])
})

test('what was typed for one headless login approves no other', async () => {
  const { edge, visitor, code, program, codes } = await newCodeDeviceFlow()
  const thief = await edge.program()
  const thieves = await askForCodes(thief)
  const body = await deviceCodeBody(visitor, codes.user_code, { code: code() })
  const { user_code } = thieves
  expect((await visitor.post('/v1/device/finish', { ...body, user_code })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  expect((await poll(thief, thieves)).json.error).toBe('authorization_pending')
  expect((await visitor.post('/v1/device/finish', body)).status).toBe(200)
  expect((await poll(program, codes)).status).toBe(200)
})
