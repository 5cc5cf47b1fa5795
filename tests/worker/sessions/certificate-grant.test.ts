/** A grant for a certificate, at the edge: the tap names its key and how often it opens, and the grant says neither more nor less. */
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import type { SessionAsk } from '../../../core/access/request-session.ts'
import { sessionIn } from '../../../core/access/session-set.ts'
import type { SessionSubject } from '../../../core/intent.ts'
import type { Grant } from '../../../core/issue/grant.ts'
import { base64url } from '../../../core/lib/bytes.ts'
import { type Holder, hours } from '../../../core/model.ts'
import { intentIn } from '../../client.ts'
import { lastRefusal, newLogin } from '../../edge.ts'
import {
  askFor,
  beginSession,
  exchangeForm,
  newSessionAdmin,
  pgDocument,
  readerRole,
  tapTicket,
} from '../../proxies.ts'
import { race, statuses } from '../../race.ts'

const newKey = () => base64url(crypto.getRandomValues(new Uint8Array(32))) as Holder

async function newWorld(tap = true) {
  const admin = await newSessionAdmin(pgDocument('pg-1'), readerRole('db-reader', tap))
  const { passkey, visitor, program, token, proxy } = admin
  const certificate = { key: newKey(), uses: 3 }
  const ask: SessionAsk = { ...askFor(proxy), certificate }
  const begin = () => beginSession(program, token, ask)
  const tapped = async () => tapTicket(visitor, passkey, (await begin()).json.ticket)
  const exchange = (text: string | undefined, wanted = ask) => program.token(exchangeForm(token, wanted, text))
  return { ...admin, certificate, ask, begin, tapped, exchange }
}

interface Claims {
  readonly iat: number
  readonly exp: number
  readonly cnf: { readonly jkt: string }
  readonly session: SessionSubject
}
const claimsOf = (jwt: string) => decodeJwt(jwt) as unknown as Claims

describe('a tapped one', () => {
  test('is for the key that the intent names, which its holder is not', async () => {
    const { begin, certificate, program, exchange, visitor, passkey } = await newWorld()
    const { json } = await begin()
    const intent = intentIn(json.ticket)
    expect(intent).toMatchObject({
      holder: program.key.jkt,
      subject: { client_key: certificate.key, uses: 3 },
    })
    const answer = await exchange(await tapTicket(visitor, passkey, json.ticket))
    expect(answer).toMatchObject({ status: 200, json: { expires_in: 60 } })
    const { cnf, session } = claimsOf(answer.json.access_token)
    expect({ cnf, session }).toMatchObject({
      cnf: { jkt: certificate.key },
      session: { client_key: certificate.key, uses: 3 },
    })
  })

  test('its page says so: the key, how often, and where it lies', async () => {
    const { edge, begin, visitor, certificate } = await newWorld()
    const { text } = await visitor.get((await begin()).json.approve_url.replace(edge.site.origin, ''))
    const plain = text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
    expect(plain).toContain('open 3 sessions on')
    expect(plain).toContain('whoever has it opens this 3 times , within a minute of your tap.')
    expect(plain).toContain(certificate.key)
  })

  test.each([
    ['another key', { key: newKey(), uses: 3 }],
    ['more uses', { key: undefined, uses: 4 }],
  ])('the exchange for %s is refused', async (_, { key, uses }) => {
    const { edge, ask, tapped, exchange, certificate } = await newWorld()
    const wanted = { ...ask, certificate: { key: key ?? certificate.key, uses } }
    expect((await exchange(await tapped(), wanted)).status).toBe(400)
    expect(lastRefusal(edge)).toBe('wrong_subject')
  })

  test('nor is it one for the program’s own key, or the other way round', async () => {
    const { edge, ask, tapped, exchange, program, token, visitor, passkey } = await newWorld()
    const { certificate: _, ...plain } = ask
    expect((await exchange(await tapped(), plain)).status).toBe(400)
    expect(lastRefusal(edge)).toBe('wrong_subject')
    const begun = await beginSession(program, token, plain)
    expect((await exchange(await tapTicket(visitor, passkey, begun.json.ticket))).status).toBe(400)
  })

  test('one tap makes one, raced 20 ways', async () => {
    const { tapped, exchange } = await newWorld()
    const tap = await tapped()
    expect(statuses(await race(20, () => exchange(tap)))).toEqual({ 200: 1, 400: 19 })
  })
})

describe('one without a tap', () => {
  test('lives for twelve hours, or for what is left of its login', async () => {
    const { edge, exchange, certificate, ask, visitor, passkey } = await newWorld(false)
    const answer = await exchange(undefined)
    const { iat, exp, session, cnf } = claimsOf(answer.json.access_token)
    expect(session).toMatchObject({ uses: 'any', client_key: certificate.key })
    expect(cnf.jkt).toBe(certificate.key)
    const [{ ends } = {}] = edge.rows('select max(expires_at) as ends from client_sessions')
    const left = Math.floor((Number(ends) - edge.ports.now()) / 1000)
    expect(exp - iat).toBe(Math.min(left, hours(12) / 1000))
    expect(answer.json.expires_in).toBe(exp - iat)
    const next = await newLogin(edge, visitor, passkey)
    edge.store.raw.exec(`update client_sessions set expires_at = ${edge.ports.now() + 90_000}`)
    expect((await next.program.token(exchangeForm(next.tokens.access_token, ask))).json.expires_in).toBe(90)
  })

  test('is not to be had where one is wanted', async () => {
    const { exchange } = await newWorld()
    expect((await exchange(undefined)).json).toMatchObject({ error: 'tap_required' })
  })
})

test.each([
  ['no uses', 'certificate=KEY'],
  ['no key', 'uses=1'],
  ['uses that are no number', 'certificate=KEY&uses=x'],
  ['too many uses', 'certificate=KEY&uses=17'],
  ['none', 'certificate=KEY&uses=0'],
  ['two keys', 'certificate=KEY&certificate=KEY&uses=1'],
  ['two counts', 'certificate=KEY&uses=1&uses=1'],
  ['no thumbprint', 'certificate=abc&uses=1'],
])('a resource with %s is refused', async (_, query) => {
  const { ask, token, program } = await newWorld(false)
  const { certificate: _own, ...plain } = ask
  const form = exchangeForm(token, plain)
  const resource = `${form['resource']}&${query.replaceAll('KEY', newKey())}`
  expect((await program.token({ ...form, resource })).json).toMatchObject({ error: 'invalid_target' })
})

describe('sessionIn', () => {
  const subject = { resource: { kind: 'db', name: 'pg-1' } } as SessionSubject
  const grantOf = (uses: SessionSubject['uses'], more: Partial<Grant> = {}) =>
    sessionIn({ id: 'x', subject: { ...subject, ...(uses !== undefined && { uses }) }, ...more } as Grant, 'pg-1').uses
      .most

  test('counts what a tap or a code guards', () => {
    expect(grantOf(undefined)).toBe(1)
    expect(grantOf(16)).toBe(16)
    expect(grantOf('any')).toBeUndefined()
    for (const more of [{ tap: {} as never }, { code: {} as never }])
      expect(() => grantOf('any', more)).toThrow(expect.objectContaining({ code: 'grant_invalid' }))
    for (const uses of [0, 17, 1.5, -1, 'many' as never])
      expect(() => grantOf(uses)).toThrow(expect.objectContaining({ code: 'grant_invalid' }))
  })
})
