/** A code in the place of a tap opens exactly the session that its page showed, once, and only where nothing better is taken. */
import { expect, test } from 'vitest'
import { approveByCode, newCodeLogin } from '../code-approvals.ts'
import { lastRefusal } from '../edge.ts'
import { addTotp, codeAt, goodPassword, passwordLogin } from '../factors.ts'
import { askForTap, newInvitation } from '../people.ts'
import { prefer } from '../preferences.ts'
import { askOf } from '../program.ts'
import { askFor, beginSession, exchangeForm, newBoot, newProxy, putDocuments, setOf } from '../proxies.ts'
import { race, statuses } from '../race.ts'
import { beginByCode, exchangeCode, newCodeReader, sentOf, typeCode } from '../session-codes.ts'

async function newWorld() {
  const made = await newCodeReader()
  const { edge, bob, nextCode } = made
  const proxy = await newProxy(edge)
  const ask = askFor(proxy)
  const begin = (of: Parameters<typeof beginByCode>[1] = ask) => beginByCode(bob, of)
  /** A ticket that a code was given for. */
  const approved = async (of: Parameters<typeof begin>[0] = ask) => {
    const ticket = await begin(of)
    const { json, status, text } = await typeCode(bob.visitor, ticket, nextCode())
    if (status !== 200) throw new Error(`the code was answered ${status}: ${text}`)
    return { ticket, app: json.app as string }
  }
  const grants = () => edge.rows("select seq from audit where kind = 'session.grant' and outcome = 'done'")
  return { ...made, proxy, ask, begin, approved, grants }
}

test('a wrong code, and a code that approved something before: a login, a program, another session', async () => {
  const { edge, bob, begin, nextCode, code, grants } = await newWorld()
  const ticket = await begin()
  expect((await typeCode(bob.visitor, ticket, '000000')).status).toBe(401)
  expect(lastRefusal(edge)).toBe('code_wrong')
  const used = [
    async () => (await passwordLogin(edge.visitor(), { name: 'Bob', code: nextCode() })).status,
    async () =>
      (await approveByCode(bob.visitor, askOf((await edge.program()).key).parameters, { code: nextCode() })).status,
    async () => (await typeCode(bob.visitor, await begin(), nextCode())).status,
  ]
  for (const use of used) {
    expect(await use()).toBe(200)
    expect((await typeCode(bob.visitor, ticket, code())).status).toBe(401)
    expect(lastRefusal(edge)).toBe('code_spent')
  }
  expect(grants()).toHaveLength(0)
})

test('one code at 50 pages at once approves one, and one ticket is approved once', async () => {
  const { edge, bob, begin, nextCode } = await newWorld()
  const tickets = await race(50, () => begin())
  const code = nextCode()
  const replies = await race(50, (at) => typeCode(bob.visitor.copy(), tickets[at] as string, code))
  // Five failures lock the name: the others were not even looked at.
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(edge.rows("select id from spent where id like 'code.%'")).toHaveLength(1)
})

test('an approval makes one grant, raced 50 ways', async () => {
  const { bob, ask, approved, grants } = await newWorld()
  const { ticket, app } = await approved()
  expect(statuses(await race(50, () => exchangeCode(bob, ask, ticket, app)))).toEqual({ 200: 1, 400: 49 })
  expect(grants()).toHaveLength(1)
})

test('a ticket for which no code was given makes none, whichever app is named', async () => {
  const { edge, bob, ask, begin, approved, grants } = await newWorld()
  const { app } = await approved()
  for (const named of [app, 'another', '']) {
    expect((await exchangeCode(bob, ask, await begin(), named)).status).toBe(400)
  }
  expect(lastRefusal(edge)).toBe('code_ungiven')
  expect(grants()).toHaveLength(0)
})

test('for one session it makes none for another resource, principal, process, proxy or list', async () => {
  const { edge, bob, proxy, ask, approved, grants } = await newWorld()
  const { ticket, app } = await approved()
  const other = await newProxy(edge, 'p2')
  const asks = [
    askFor(proxy, 'pg-2'),
    askFor({ id: proxy.id, boot: newBoot() }),
    askFor(other),
    setOf(proxy, { 'pg-1': 1 }),
  ]
  for (const one of asks) {
    expect((await exchangeCode(bob, one, ticket, app)).status).toBe(400)
    expect(lastRefusal(edge)).toBe('wrong_subject')
  }
  const set = await approved(setOf(proxy, { 'pg-1': 1 }))
  expect((await exchangeCode(bob, ask, set.ticket, set.app)).status).toBe(400)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  expect(grants()).toHaveLength(0)
})

test('for one program it makes none for another of the same user', async () => {
  const { edge, bob, ask, approved, nextCode } = await newWorld()
  const { ticket, app } = await approved()
  const program = await edge.program()
  const { access_token: token } = await newCodeLogin(bob.visitor, program, nextCode())
  expect((await program.token(exchangeForm(token, ask, sentOf(ticket, app)))).status).toBe(400)
  expect(lastRefusal(edge)).toBe('wrong_holder')
})

test('after five minutes, with a tap beside it, or for anything but a session it is nothing', async () => {
  const { edge, bob, ask, approved, nextCode } = await newWorld()
  const { ticket, app } = await approved()
  const both = Buffer.from(
    JSON.stringify({
      ticket,
      app,
      assertion: { id: 'AA', response: { clientDataJSON: '', authenticatorData: '', signature: '' } },
    }),
  )
  expect((await bob.program.token(exchangeForm(bob.token, ask, both.toString('base64url')))).status).toBe(400)
  edge.advance(5 * 60_000)
  expect((await exchangeCode(bob, ask, ticket, app)).status).toBe(400)
  expect(lastRefusal(edge)).toBe('ticket_expired')
  const login = (await edge.visitor().post('/v1/login/begin', {})).json.ticket
  expect((await typeCode(bob.visitor, login, nextCode())).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_purpose')
})

test('a thief of the cookie guesses no more than at the door; somebody else at the browser is not asked', async () => {
  const { edge, admin, bob, begin, nextCode } = await newWorld()
  const ticket = await begin()
  expect((await typeCode(admin.visitor, ticket, nextCode())).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  expect((await typeCode(edge.visitor(), ticket, nextCode())).status).toBe(401)
  expect(lastRefusal(edge)).toBe('session_missing')
  const thief = bob.visitor.copy()
  const replies = await race(20, (at) => typeCode(thief.copy(), ticket, String(100_000 + at)))
  expect(statuses(replies)).toEqual({ 401: 5, 403: 15 })
  expect(await typeCode(bob.visitor, ticket, nextCode())).toMatchObject({
    status: 403,
    json: { error: 'password_locked' },
  })
  expect(await passwordLogin(edge.visitor(), { name: 'Bob', code: nextCode() })).toMatchObject({ status: 403 })
  expect(edge.rows("select id from spent where id like 'code.%'")).toHaveLength(0)
})

const withTaps = [
  { second_factor: 'on', allow_passwords: true },
  { second_factor: 'webauthn', allow_passwords: true },
  { second_factors: ['webauthn', 'otp'], allow_passwords: true },
  { second_factor: 'otp', allow_passwords: false },
]

test.each(withTaps)('under %j no code is taken, and one that was given before makes no grant', async (spec) => {
  const { edge, admin, bob, ask, begin, approved, nextCode, grants } = await newWorld()
  const { ticket, app } = await approved()
  const waiting = await begin()
  await prefer(admin, spec)
  expect(await exchangeCode(bob, ask, ticket, app)).toMatchObject({ status: 403 })
  expect(lastRefusal(edge)).toBe('codes_off')
  expect(await typeCode(bob.visitor, waiting, nextCode())).toMatchObject({ status: 403, json: { error: 'codes_off' } })
  const { json } = await beginSession(bob.program, bob.token, ask)
  expect((await bob.visitor.get(json.approve_url.replace(edge.site.origin, ''))).text).toContain(
    'Approve with a passkey',
  )
  expect(grants()).toHaveLength(0)
})

test('who has a passkey taps: also when it came after the code was given', async () => {
  const { edge, bob, ask, begin, approved, nextCode, grants } = await newWorld()
  const { ticket, app } = await approved()
  edge.store.raw.exec('update credentials set removed_at = null')
  expect((await exchangeCode(bob, ask, ticket, app)).status).toBe(400)
  expect(lastRefusal(edge)).toBe('factors_changed')
  expect(await typeCode(bob.visitor, await begin(), nextCode())).toMatchObject({
    status: 403,
    json: { error: 'proof_required' },
  })
  expect(grants()).toHaveLength(0)
})

test.each([
  ['the app was removed', 'delete from totps'],
  ['the login was ended', "update client_sessions set ended_at = 1, end_reason = 'revoked'"],
])('once %s, a code that was given makes no grant', async (_, change) => {
  const { edge, bob, ask, approved, grants } = await newWorld()
  const { ticket, app } = await approved()
  edge.store.raw.exec(change)
  expect((await exchangeCode(bob, ask, ticket, app)).status).not.toBe(200)
  expect(grants()).toHaveLength(0)
})

test('a lock on the app: neither a code of it nor a grant by one that was given, though another app let the login in', async () => {
  const { edge, admin, bob, ask, begin, nextCode, grants } = await newWorld()
  const current = { password: goodPassword, code: nextCode() }
  const { reply, secret } = await addTotp(edge, bob.visitor, { current }, 'Tablet')
  expect(reply.status).toBe(200)
  const tabletCode = () => {
    edge.advance(30_000)
    return codeAt(secret, edge.ports.now())
  }
  const [ticket, waiting] = [await begin(), await begin()]
  const { app } = (await typeCode(bob.visitor, ticket, tabletCode())).json
  expect(app).toBe(edge.rows("select id from totps where name = 'Tablet'")[0]?.['id'])
  const lock = { kind: 'lock', version: 'v2', metadata: { name: 'l' } } as const
  await putDocuments(admin, { ...lock, spec: { target: { mfa_device: app }, message: 'Lost.' } })
  const locked = { status: 403, json: { error: 'locked', message: expect.stringContaining('Lost.') } }
  expect(await exchangeCode(bob, ask, ticket, app)).toMatchObject(locked)
  expect(await typeCode(bob.visitor, waiting, tabletCode())).toMatchObject(locked)
  expect(grants()).toHaveLength(0)
  expect((await typeCode(bob.visitor, waiting, nextCode())).status).toBe(200)
})

test('a code that is taken forgets the failures before it', async () => {
  const { bob, begin, nextCode } = await newWorld()
  for (let round = 0; round < 3; round++) {
    const ticket = await begin()
    for (let i = 0; i < 4; i++) expect((await typeCode(bob.visitor, ticket, '000000')).status).toBe(401)
    expect((await typeCode(bob.visitor, ticket, nextCode())).status).toBe(200)
  }
})

test('a code approves no administrative request that waits', async () => {
  const { edge, admin, nextCode } = await newWorld()
  const { body } = await newInvitation('Eve', ['editor'])
  const { ticket } = (await askForTap(admin, body)).json
  expect((await typeCode(admin.visitor, ticket, nextCode())).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_purpose')
})
