import { expect, test } from 'vitest'
import { deriveKeys } from '../../core/keys.ts'
import { base64url } from '../../core/lib/bytes.ts'
import { sha256 } from '../../core/lib/hash.ts'
import { type Offered, proveOffer } from '../../core/login/operator-offer.ts'
import { offerRecovery } from '../../core/login/recovery.ts'
import { hours, minutes } from '../../core/model.ts'
import { login } from '../client.ts'
import { lastRefusal, newEdge, type TestEdge, terminal } from '../edge.ts'
import {
  acceptBody,
  call,
  newAdmin,
  newPerson,
  newReset,
  personOf,
  recover,
  recoveryBody,
  reset,
  resetWith,
  tapFor,
} from '../people.ts'
import { race, statuses } from '../race.ts'

async function offered(name = 'Ada') {
  const ada = await newAdmin()
  const { edge } = ada
  const { secret } = await offerRecovery(edge.ports, terminal, name)
  const body = async (visitor = edge.visitor(), given = secret) => ({
    visitor,
    body: await recoveryBody(visitor, await edge.authenticator(), given),
  })
  return { ada, edge, secret, body }
}
const roots = (edge: TestEdge) =>
  edge.rows('select id from credentials where is_root = 1 and removed_at is null').length

test('a link recovers once: the old passkeys and sessions are gone, the new passkey is a root with all roles', async () => {
  const { ada, edge, secret, body } = await offered()
  expect((await login(edge.visitor(), ada.passkey)).status).toBe(200)
  const { visitor, body: first } = await body()
  const late = await body(visitor)
  expect((await visitor.post('/v1/recovery/finish', first)).status).toBe(200)
  expect((await login(edge.visitor(), ada.passkey)).status).toBe(401)
  expect((await call(ada, 'GET', '/v1/me')).status).toBe(401)
  expect((await visitor.get('/account')).status).toBe(200)
  for (const again of [first, late.body]) {
    expect((await visitor.post('/v1/recovery/finish', again)).status).toBeGreaterThan(400)
    expect(['ticket_spent', 'link_invalid']).toContain(lastRefusal(edge))
  }
  for (const step of ['check', 'begin'])
    expect((await edge.visitor().post(`/v1/recovery/${step}`, { secret })).status).toBe(410)
  expect(roots(edge)).toBe(1)
  const kinds = edge.rows("select kind from audit where kind like 'recovery.%' and outcome = 'done' order by seq")
  expect(kinds.map(({ kind }) => kind)).toEqual(['recovery.offer', 'recovery.register'])
})

test('as long as the link is not used, nothing of the user is touched', async () => {
  const { ada, edge, secret } = await offered()
  expect((await edge.visitor().post('/v1/recovery/check', { secret })).json).toMatchObject({
    name: 'Ada',
    is_new: false,
  })
  expect((await call(ada, 'GET', '/v1/me')).status).toBe(200)
})

test('50 people with one link at once: one root', async () => {
  const { edge, body } = await offered('Grace')
  const answers = await race(50, () => body())
  const replies = await race(50, (i) => answers[i]!.visitor.post('/v1/recovery/finish', answers[i]!.body))
  expect(statuses(replies)[200]).toBe(1)
  expect(roots(edge)).toBe(2)
  expect(edge.rows('select id from users')).toHaveLength(2)
})

test('a link lives one hour, and a newer one kills it, for whomever it is', async () => {
  const { edge, secret } = await offered()
  const check = async (one: string) => (await edge.visitor().post('/v1/recovery/check', { secret: one })).status
  edge.advance(hours(1) - 1)
  expect(await check(secret)).toBe(200)
  edge.advance(1)
  expect(await check(secret)).toBe(410)
  const older = await offerRecovery(edge.ports, terminal, 'Ada')
  const newer = await offerRecovery(edge.ports, terminal, 'Grace')
  expect([await check(older.secret), await check(newer.secret)]).toEqual([410, 200])
})

test('a ceremony that began with one link, or in another browser, does not end with this', async () => {
  const { edge, body } = await offered()
  const { visitor, body: begun } = await body()
  expect((await edge.visitor().post('/v1/recovery/finish', begun)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_holder')
  const { secret } = await offerRecovery(edge.ports, terminal, 'Ada')
  expect((await visitor.post('/v1/recovery/finish', { ...begun, secret })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  expect((await visitor.post('/v1/recovery/finish', begun)).status).toBe(410)
})

test('the link of a first administrator recovers nobody, and the other way round', async () => {
  const edge = await newEdge()
  const secret = await edge.offer()
  expect((await edge.visitor().post('/v1/recovery/check', { secret })).status).toBe(410)
  const other = await offered()
  const reply = await other.edge.visitor().post('/v1/first-administrator/check', { secret: other.secret })
  expect(reply.status).toBe(410)
})

test('while there is no administrator none is recovered', async () => {
  const edge = await newEdge()
  await expect(offerRecovery(edge.ports, terminal, 'Ada')).rejects.toMatchObject({ code: 'administrator_missing' })
  expect(lastRefusal(edge)).toBe('administrator_missing')
})

test('who has read the whole database has no link', async () => {
  const { edge, secret } = await offered()
  const [row] = edge.rows('select hash from administrator_link')
  for (const guess of [String(row?.['hash']), secret.slice(1), `${secret}A`, ''])
    expect((await edge.visitor().post('/v1/recovery/check', { secret: guess })).status).toBe(410)
})

const remote = async (
  edge: TestEdge,
  what: Offered = { offer: 'recovery', name: 'Ada' },
  key = edge.ports.keys.operator,
) => {
  const secret = base64url(crypto.getRandomValues(new Uint8Array(32)))
  const link = base64url(sha256(new TextEncoder().encode(secret)))
  const ask = {
    link,
    id: base64url(crypto.getRandomValues(new Uint8Array(16))),
    iat: Math.floor(edge.ports.now() / 1000),
  }
  return { name: 'Ada', ...ask, proof: proveOffer(key, edge.site.cluster, what, ask) }
}

test('a deployed edge believes only who holds SALLYPORT_KEY, for this name, for a minute, once', async () => {
  const { edge } = await newAdmin()
  const send = (body: object) => edge.visitor().post('/v1/recovery/offer', body as never)
  const other = deriveKeys(new Uint8Array(32).fill(8))
  const good = await remote(edge)
  for (const forged of [
    await remote(edge, undefined, other.operator),
    await remote(edge, undefined, edge.ports.keys.ticket),
    await remote(edge, { offer: 'first-administrator' }),
    await remote(edge, { offer: 'recovery', name: 'Grace' }),
    { ...good, name: 'Grace' },
    { ...good, link: base64url(new Uint8Array(32)) },
    { ...good, iat: good.iat - 61 },
    { ...good, proof: '' },
  ]) {
    expect((await send(forged)).status).toBe(401)
    expect(lastRefusal(edge)).toBe('operator_unproven')
  }
  expect(edge.rows('select hash from administrator_link')).toEqual([])
  expect((await send(good)).status).toBe(200)
  expect((await send(good)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('ticket_spent')
  const late = await remote(edge)
  edge.advance(minutes(2))
  expect((await send(late)).status).toBe(401)
})

test('a recovery raced with a reset of the same user: one passkey or one link, never both, and an administrator stays, 20 times', async () => {
  await race(20, async () => {
    const ada = await newAdmin()
    const { edge } = ada
    const bob = await newPerson(ada, 'Bob')
    const { secret } = await offerRecovery(edge.ports, terminal, 'Bob')
    const visitor = edge.visitor()
    const recovery = await recoveryBody(visitor, await edge.authenticator(), secret)
    const { body } = await newReset('Bob')
    const tap = await tapFor(ada, body, ada, 'userReset')
    const replies = await Promise.all([visitor.post('/v1/recovery/finish', recovery), resetWith(ada, body, tap)])
    expect(replies.map(({ status }) => status)).toEqual([200, 200])
    const now = edge.ports.now()
    const links = edge.rows(`select id from invites where used_at is null and expires_at > ${now}`).length
    const passkeys = edge.rows(
      "select c.id from credentials c inner join users u on u.id = c.user_id where u.name = 'Bob' and c.removed_at is null",
    ).length
    expect(links + passkeys).toBe(1)
    expect((await login(edge.visitor(), bob.passkey)).status).toBe(401)
    expect((await login(edge.visitor(), ada.passkey)).status).toBe(200)
  })
})

test('a recovery kills the link of a reset that is open', async () => {
  const ada = await newAdmin()
  const { edge } = ada
  await newPerson(ada, 'Bob')
  const link = await reset(ada, 'Bob')
  const visitor = edge.visitor()
  const body = await acceptBody(visitor, await edge.authenticator(), link)
  await recover(edge, 'Bob')
  expect((await visitor.post('/v1/invites/finish', body)).status).toBe(410)
})

test('somebody recovered can let others in again', async () => {
  const { edge, visitor, ...rest } = await recover((await newAdmin()).edge, 'Grace')
  const grace = await personOf(edge, visitor, rest.passkey)
  await newPerson(grace, 'Heidi')
})
