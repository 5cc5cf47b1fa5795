/** A process that has not heard of the newest preference yet: it lets nobody in by the old one, and keeps nobody out. */
import { expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { offerRecovery } from '../../core/login/recovery.ts'
import { addPasskey, login, loginBody } from '../client.ts'
import { lastRefusal, newEdge, sessionsOf, terminal } from '../edge.ts'
import { acceptBody, invite, newAdmin, newInvitation, newReset, recoveryBody, reset, tapFor } from '../people.ts'
import { prefer } from '../preferences.ts'
import { approvalBody, askOf, Program } from '../program.ts'
import { race, statuses } from '../race.ts'

/** New passkeys are of example.com, and those of before are still taken. */
const movedAway = { rp_id: 'example.com', former_rp_ids: ['access.example.com'] }

/** An administrator at one process, and another process over the same database that knows today's preference. */
async function twoProcesses(settings: Parameters<typeof prefer>[1] = {}) {
  const admin = await newAdmin()
  await prefer(admin, settings)
  const other = await newEdge({ store: admin.edge.store })
  await other.ports.preferences.newest()
  return { admin, edge: admin.edge, other, passkey: admin.passkey }
}

test('a login that began where a passkey was enough is refused once it is not, in a process that has not heard of it', async () => {
  const { admin, other, passkey } = await twoProcesses()
  const visitor = other.visitor()
  const body = await loginBody(visitor, passkey)
  await prefer(admin, { passwordless: false })
  const before = sessionsOf(other)
  expect(await visitor.post('/v1/login/finish', body)).toMatchObject({
    status: 403,
    json: { error: 'passwordless_off' },
  })
  expect([sessionsOf(other), lastRefusal(other)]).toEqual([before, 'passwordless_off'])
  expect((await visitor.post('/v1/login/begin', {})).status).toBe(403)
})

test('a login that the old preference refuses is let in once the new one is there', async () => {
  const { admin, other, passkey } = await twoProcesses()
  const visitor = other.visitor()
  const body = await loginBody(visitor, passkey)
  await prefer(admin, { passwordless: false })
  await other.ports.preferences.newest()
  await prefer(admin, { passwordless: true })
  expect(await visitor.post('/v1/login/finish', body)).toMatchObject({ status: 200 })
})

test('what another preference does not change goes on: the ceremony is tried once more, unseen', async () => {
  const { admin, other, passkey } = await twoProcesses()
  const visitor = other.visitor()
  const body = await loginBody(visitor, passkey)
  await prefer(admin, { default_session_ttl: '1h' })
  expect(await visitor.post('/v1/login/finish', body)).toMatchObject({ status: 200 })
  const [row] = other.rows('select expires_at - opened_at as life from sessions order by opened_at desc, rowid desc')
  expect(row?.['life']).toBe(3_600_000)
})

test('an approval of a program by a passkey that is no longer taken makes no code', async () => {
  const { admin, other, passkey } = await twoProcesses({ webauthn: movedAway })
  const asked = askOf(admin.program.key)
  const body = await approvalBody(admin.visitor, passkey, asked.parameters)
  const second = await admin.edge.authenticator()
  expect((await addPasskey(admin.visitor, passkey, second)).status).toBe(200)
  await prefer({ ...admin, passkey: second }, { webauthn: { rp_id: 'example.com' } })
  // One site: the browser has its cookies at both processes.
  const there = other.visitor()
  for (const [name, value] of admin.visitor.cookies) there.cookies.set(name, value)
  expect(await there.post('/v1/authorize/finish', body)).toMatchObject({ status: 401, json: { error: 'refused' } })
  expect(lastRefusal(other)).toBe('assertion_wrong')
  expect(other.rows('select hash from codes where used_at is null')).toEqual([])
})

test('an invitation, a reset and a removal that a passkey approved which is no longer taken have no effect', async () => {
  const { admin, other, passkey } = await twoProcesses({ webauthn: movedAway })
  await invite(admin, 'Bob')
  const [invitation, resetting] = [(await newInvitation('Eve', ['editor'])).body, (await newReset('Bob')).body]
  const asked: [path: string, body: Json, tap: string][] = [
    ['/v1/users', invitation, await tapFor(admin, invitation)],
    ['/v1/users/reset', resetting, await tapFor(admin, resetting, admin, 'userReset')],
  ]
  const second = await admin.edge.authenticator()
  expect((await addPasskey(admin.visitor, passkey, second, { name: 'Second' })).status).toBe(200)
  const removal = { kind: 'passkey', name: 'Second' }
  asked.push(['/v1/me/factors/remove', removal, await tapFor(admin, removal, admin, 'factorRemove')])
  await prefer({ ...admin, passkey: second }, { webauthn: { rp_id: 'example.com' } })
  const there = new Program(admin.program.key, other.visitor(), other.ports.now)
  const counts = () => [other.rows('select id from users').length, other.rows('select id from invites').length]
  const before = counts()
  for (const [path, body, tap] of asked) {
    const reply = await there.call('POST', path, admin.token, { body, headers: { 'sallyport-tap': tap } })
    expect([path, reply.status, lastRefusal(other)]).toEqual([path, 401, 'assertion_wrong'])
  }
  expect(counts()).toEqual(before)
  expect(other.rows('select id from credentials where removed_at is not null')).toEqual([])
})

test.each(['invited', 'reset'])(
  'the passkey of somebody %s that only the old preference lets in is refused',
  async (why) => {
    const { admin, other } = await twoProcesses()
    const visitor = other.visitor()
    const invited = await invite(admin, 'Bob')
    const link = why === 'reset' ? await reset(admin, 'Bob') : invited
    const body = await acceptBody(visitor, await other.authenticator(), link)
    await prefer(admin, { webauthn: movedAway })
    expect(await visitor.post('/v1/invites/finish', body)).toMatchObject({ status: 401 })
    expect(other.rows("select id from credentials where rp_id = 'access.example.com'")).toHaveLength(1)
  },
)

test('the passkey of a recovery that only the old preference lets in is refused, and takes nothing away', async () => {
  const { admin, other } = await twoProcesses()
  const { secret } = await offerRecovery(other.ports, terminal, 'Ada')
  const visitor = other.visitor()
  const body = await recoveryBody(visitor, await other.authenticator(), secret)
  await prefer(admin, { webauthn: movedAway })
  expect(await visitor.post('/v1/recovery/finish', body)).toMatchObject({ status: 401 })
  expect(other.rows('select removed_at from credentials')).toEqual([{ removed_at: null }])
})

test('of 50 logins that race the change no one is let in by the old preference after it', async () => {
  const { admin, other, passkey } = await twoProcesses()
  passkey.counter = 0
  const visitors = Array.from({ length: 50 }, () => other.visitor())
  const bodies = await Promise.all(visitors.map((visitor) => loginBody(visitor, passkey, { counter: 0 })))
  other.store.raw.exec('update credentials set counter = 0')
  const [, ...replies] = await Promise.all([
    prefer(admin, { passwordless: false }).then(() => ({ status: 0 })),
    ...bodies.map((body, i) => visitors[i]!.post('/v1/login/finish', body)),
  ])
  const counts = statuses(replies)
  expect((counts[200] ?? 0) + (counts[403] ?? 0)).toBe(50)
  const after = await race(10, () => login(other.visitor(), passkey).catch(() => ({ status: 403 })))
  expect(statuses(after)).toEqual({ 403: 10 })
})
