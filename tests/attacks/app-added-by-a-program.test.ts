/** An authenticator app that a program adds or removes: only with a tap of its user, for this very key, once, and never by a headless login. */
import { describe, expect, test } from 'vitest'
import { intentIn } from '../client.ts'
import { newDeviceLogin } from '../device-flow.ts'
import { lastRefusal, newEdge, type TestEdge } from '../edge.ts'
import { addTotp, changeBody, codeAt, passwordLogin, setPassword } from '../factors.ts'
import { askForTap, call, newAdmin, newPerson, type Person, personOf, tapFor, tapHeaderOf } from '../people.ts'
import { forget, prefer } from '../preferences.ts'
import { redirectUri } from '../program.ts'

const both = { allow_passwords: true, second_factors: ['webauthn', 'otp'] }
const phone = { kind: 'totp', name: 'Phone' }

async function newAda() {
  const ada = await newAdmin()
  await prefer(ada, both)
  return ada
}

const begin = (person: Person, name = 'Phone') =>
  call(person, 'POST', '/v1/me/totps/begin', { name, redirect_uri: redirectUri, state: 'state' })

const ticketIn = (begun: { readonly approve_url: string }) =>
  new URL(begun.approve_url).searchParams.get('ticket') ?? ''

/** The page's side. */
async function approved({ visitor, passkey }: Pick<Person, 'visitor' | 'passkey'>, ticket: string): Promise<string> {
  const { status, text, json } = await visitor.post('/v1/taps/options', { ticket })
  if (status !== 200) throw new Error(`the page was answered ${status}: ${text}`)
  return tapHeaderOf(ticket, (await passkey.get(json.options)) as never)
}

const finish = ({ program, token }: Person, body: { sealed: string; new_code: string }, tap?: string) =>
  program.call('POST', '/v1/me/totps', token, { body, headers: tap === undefined ? {} : { 'sallyport-tap': tap } })

/** All that adding takes. */
async function ready(person: Person, name = 'Phone') {
  const { json } = await begin(person, name)
  const { secret, sealed } = json as { secret: string; sealed: string }
  const tap = await approved(person, ticketIn(json))
  return { secret, tap, body: { sealed, new_code: codeAt(secret, person.edge.ports.now()) } }
}

const apps = (edge: TestEdge) => edge.rows('select name from totps order by name').map(({ name }) => name)
const removal = ({ program, token }: Person, body: typeof phone, tap?: string) =>
  program.call('POST', '/v1/me/factors/remove', token, {
    body,
    headers: tap === undefined ? {} : { 'sallyport-tap': tap },
  })

describe('adding', () => {
  test('begin writes nothing; with tap and code the app is there and signs in', async () => {
    const ada = await newAda()
    const changes = () => ada.edge.rows('select (select count(*) from totps) + (select count(*) from audit) as n')
    const before = changes()
    const { secret, tap, body } = await ready(ada)
    expect(changes()).toEqual(before)
    expect(await finish(ada, body, tap)).toMatchObject({ status: 200, json: { name: 'Phone' } })
    expect(apps(ada.edge)).toEqual(['Phone'])
    await setPassword(ada.visitor, ada.passkey)
    ada.edge.advance(30_000)
    const code = codeAt(secret, ada.edge.ports.now())
    expect((await passwordLogin(ada.edge.visitor(), { code })).status).toBe(200)
  })

  test('key and code stand in no audit row, log line, ticket or address; the database has the key sealed', async () => {
    const ada = await newAda()
    const { json } = await begin(ada)
    const { secret, sealed, uri, approve_url } = json as Record<'secret' | 'sealed' | 'uri' | 'approve_url', string>
    const ticket = ticketIn({ approve_url })
    const tap = await approved(ada, ticket)
    const code = codeAt(secret, ada.edge.ports.now())
    const wrong = await finish(ada, { sealed, new_code: '000000' }, tap)
    expect(wrong.json.error).toBe('new_code_wrong')
    expect((await finish(ada, { sealed, new_code: code }, tap)).status).toBe(200)
    expect(uri).toContain(`secret=${secret}`)
    const kept = [
      JSON.stringify(ada.edge.rows('select * from audit')),
      JSON.stringify(ada.edge.logged),
      JSON.stringify(intentIn(ticket)),
      approve_url,
    ]
    for (const text of kept) for (const hidden of [secret, sealed, code]) expect(text).not.toContain(hidden)
    const [row] = ada.edge.rows('select sealed from totps')
    expect(Buffer.from(row?.['sealed'] as Uint8Array).toString('base64url')).toBe(sealed)
    const [event] = ada.edge.rows("select evidence from audit where kind = 'totp.add' and outcome = 'done'")
    expect(JSON.parse(String(event?.['evidence']))).toMatchObject({
      tap: { intent: { purpose: 'register', subject: { kind: 'totp', name: 'Phone' } } },
    })
  })

  test('a code that does not fit wants no second tap', async () => {
    const ada = await newAda()
    const { tap, body } = await ready(ada)
    expect(await finish(ada, { ...body, new_code: '000000' }, tap)).toMatchObject({
      status: 422,
      json: { error: 'new_code_wrong' },
    })
    expect(apps(ada.edge)).toEqual([])
    expect((await finish(ada, body, tap)).status).toBe(200)
  })

  test('without a tap nothing is added', async () => {
    const ada = await newAda()
    const { body } = await ready(ada)
    expect(await finish(ada, body)).toMatchObject({ status: 403, json: { error: 'tap_required' } })
    expect([apps(ada.edge), lastRefusal(ada.edge)]).toEqual([[], 'tap_missing'])
  })

  test('a tap for one key adds no other', async () => {
    const ada = await newAda()
    const [one, other] = [await ready(ada), await ready(ada)]
    expect((await finish(ada, other.body, one.tap)).status).toBe(401)
    expect([apps(ada.edge), lastRefusal(ada.edge)]).toEqual([[], 'wrong_subject'])
  })

  test('a tap counts once, whoever comes first of two', async () => {
    const ada = await newAda()
    const { tap, body } = await ready(ada)
    const replies = await Promise.all([finish(ada, body, tap), finish(ada, body, tap)])
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 401])
    expect(lastRefusal(ada.edge)).toBe('ticket_spent')
    expect(apps(ada.edge)).toEqual(['Phone'])
  })

  test('a tap counts for the program that asked, and not at a page', async () => {
    const ada = await newAda()
    const other = await personOf(ada.edge, ada.visitor, ada.passkey)
    const { tap, body } = await ready(ada)
    expect((await finish(other, body, tap)).status).toBe(401)
    expect(lastRefusal(ada.edge)).toBe('wrong_holder')
    const { ticket, assertion } = JSON.parse(Buffer.from(tap, 'base64url').toString())
    expect((await ada.visitor.post('/v1/totp', { ticket, assertion, ...body })).status).toBe(401)
    expect([apps(ada.edge), lastRefusal(ada.edge)]).toEqual([[], 'wrong_holder'])
  })

  test('what a page began is shown by no page for programs, and ends at no program', async () => {
    const ada = await newAda()
    const {
      uri: _,
      secret,
      ticket,
      assertion,
      sealed,
    } = await changeBody(ada.visitor, '/v1/totp', { name: 'Phone' }, ada.passkey)
    expect((await ada.visitor.post('/v1/taps/options', { ticket })).status).toBe(401)
    expect(lastRefusal(ada.edge)).toBe('wrong_purpose')
    const body = { sealed, new_code: codeAt(secret, ada.edge.ports.now()) }
    expect((await finish(ada, body, tapHeaderOf(ticket, assertion))).status).toBe(401)
    expect([apps(ada.edge), lastRefusal(ada.edge)]).toEqual([[], 'wrong_holder'])
  })

  test('nobody taps for somebody else', async () => {
    const ada = await newAda()
    const bob = await newPerson(ada, 'Bob')
    const { json } = await begin(ada)
    const ticket = ticketIn(json)
    expect((await bob.visitor.post('/v1/taps/options', { ticket })).status).toBe(401)
    expect(lastRefusal(ada.edge)).toBe('wrong_user')
    const { options } = (await ada.visitor.post('/v1/taps/options', { ticket })).json
    const foreign = await bob.passkey.get({ ...options, allowCredentials: [] })
    const body = { sealed: json.sealed, new_code: codeAt(json.secret, ada.edge.ports.now()) }
    expect((await finish(ada, body, tapHeaderOf(ticket, foreign as never))).status).toBe(401)
    expect([apps(ada.edge), lastRefusal(ada.edge)]).toEqual([[], 'credential_unknown'])
  })

  test('a headless login adds none and sees none', async () => {
    const { ada, person } = await newDeviceLogin()
    await prefer(ada, both)
    for (const reply of [
      await begin(person),
      await finish(person, { sealed: 'AAAA', new_code: '000000' }),
      await call(person, 'GET', '/v1/me/factors'),
    ])
      expect(reply).toMatchObject({ status: 403, json: { error: 'headless_login' } })
  })

  test('what could never succeed gets no ticket', async () => {
    const ada = await newAda()
    await addTotp(ada.edge, ada.visitor, ada.passkey)
    expect(await begin(ada)).toMatchObject({ status: 409, json: { error: 'name_taken' } })
    expect(await begin(ada, 'two\nlines')).toMatchObject({ status: 422, json: { error: 'name_invalid' } })
    await prefer(ada, { allow_passwords: true, second_factor: 'webauthn' })
    expect(await begin(ada, 'Tablet')).toMatchObject({ status: 403, json: { error: 'codes_off' } })
    ada.edge.store.raw.exec("update credentials set removed_at = 1 where name <> ''")
    const reply = await begin(ada, 'Tablet')
    expect(reply).toMatchObject({ status: 403, json: { error: 'tap_impossible' } })
    expect(reply.json.message).toContain('add the app on your account page')
  })

  test('it is judged by the newest preference, and by what is so in the end', async () => {
    const ada = await newAda()
    const late = await newEdge({ store: ada.edge.store })
    await late.ports.preferences.newest()
    const there: Person = { ...ada, edge: late, program: Object.assign(await late.program(), { key: ada.program.key }) }
    const one = await ready(ada)
    await forget(ada, true)
    expect(await finish(there, one.body, one.tap)).toMatchObject({ status: 403, json: { error: 'codes_off' } })
    await prefer(ada, both)
    const two = await ready(ada)
    await addTotp(ada.edge, ada.visitor, ada.passkey)
    ada.edge.store.raw.exec('update credentials set counter = 0')
    expect(await finish(ada, two.body, two.tap)).toMatchObject({ status: 409, json: { error: 'name_taken' } })
    const three = await ready(ada, 'Tablet')
    ada.edge.store.raw.exec("update client_sessions set ended_at = 1, end_reason = 'revoked'")
    expect((await finish(ada, three.body, three.tap)).status).toBe(401)
    expect(apps(ada.edge)).toEqual(['Phone'])
  })
})

describe('removing', () => {
  async function withApp() {
    const ada = await newAda()
    await setPassword(ada.visitor, ada.passkey)
    const { secret } = await addTotp(ada.edge, ada.visitor, ada.passkey)
    return { ada, secret }
  }
  const ask = (person: Person, body = phone) => askForTap(person, body, 'factorRemove')

  test('by a tap that names it; what its codes opened ends', async () => {
    const { ada, secret } = await withApp()
    ada.edge.advance(30_000)
    const coded = ada.edge.visitor()
    await passwordLogin(coded, { code: codeAt(secret, ada.edge.ports.now()) })
    expect((await coded.get('/account')).status).toBe(200)
    const { ticket } = (await ask(ada)).json
    expect(intentIn(ticket).subject).toMatchObject({ summary: 'Remove the authenticator app "Phone"' })
    expect((await removal(ada, phone, await tapFor(ada, phone, ada, 'factorRemove'))).status).toBe(200)
    expect(apps(ada.edge)).toEqual([])
    expect((await coded.get('/account')).status).toBe(302)
    expect(ada.edge.rows("select outcome, detail from audit where kind = 'totp.remove'")).toEqual([
      { outcome: 'done', detail: '{"removed":"Phone"}' },
    ])
  })

  test('not without a tap, nor by one for a passkey of that name', async () => {
    const { ada } = await withApp()
    expect((await removal(ada, phone)).status).toBe(403)
    expect(lastRefusal(ada.edge)).toBe('tap_missing')
    const tap = await tapFor(ada, phone, ada, 'factorRemove')
    expect((await removal(ada, { ...phone, kind: 'passkey' }, tap)).status).toBe(401)
    expect([apps(ada.edge), lastRefusal(ada.edge)]).toEqual([['Phone'], 'wrong_subject'])
  })

  test('not one that took the name since', async () => {
    const { ada } = await withApp()
    const tap = await tapFor(ada, phone, ada, 'factorRemove')
    ada.edge.store.raw.exec("update totps set name = 'Old'")
    await addTotp(ada.edge, ada.visitor, ada.passkey)
    ada.edge.store.raw.exec('update credentials set counter = 0')
    expect(await removal(ada, phone, tap)).toMatchObject({ status: 404, json: { error: 'totp_unknown' } })
    expect(apps(ada.edge)).toEqual(['Old', 'Phone'])
  })

  test('the last factor stays: no ticket, and none that was given before helps', async () => {
    const { ada } = await withApp()
    const tap = await tapFor(ada, phone, ada, 'factorRemove')
    await prefer(ada, { allow_passwords: true, passwordless: false, second_factors: ['otp'] })
    expect((await ask(ada)).json.error).toBe('last_factor')
    expect((await ask(ada, { ...phone, name: 'Tablet' })).json.error).toBe('totp_unknown')
    expect(await removal(ada, phone, tap)).toMatchObject({ status: 409, json: { error: 'last_factor' } })
    expect(apps(ada.edge)).toEqual(['Phone'])
  })

  test('whether it is the last is judged by the newest preference', async () => {
    const { ada } = await withApp()
    await prefer(ada, { allow_passwords: true, passwordless: false, second_factors: ['otp'] })
    const late = await newEdge({ store: ada.edge.store })
    await late.ports.preferences.newest()
    const there: Person = { ...ada, edge: late, program: Object.assign(await late.program(), { key: ada.program.key }) }
    await prefer(ada, both)
    expect((await ask(there)).status).toBe(200)
  })
})
