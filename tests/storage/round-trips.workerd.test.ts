/**
 * What each ceremony costs in round trips to the database: that is its latency at the edge. Each number in a list is one
 * trip, and says how many statements it carried. A change that adds a trip or a statement has to say so here.
 */
import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { base64url } from '../../core/lib/bytes.ts'
import { offerFirstAdministrator } from '../../core/login/first-administrator.ts'
import { openD1 } from '../../storage/d1.ts'
import worker from '../../worker/index.ts'
import { type Authenticator, type CreationOptions, newAuthenticator } from '../authenticator.ts'
import { addBody, login, loginBody, removeBody, Visitor } from '../client.ts'
import { asking } from './contract/world.ts'
import { emptied } from './emptied.ts'
import { counted, newAdministrator, newProcess, origin, type Process, rpId, succeeds, trips } from './trips.ts'

/** The trips of a login's second half. */
async function finishIn(process: Process, passkey: Authenticator) {
  const visitor = process.visitor()
  const body = await loginBody(visitor, passkey)
  return trips(() => succeeds(visitor.post('/v1/login/finish', body)))
}

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS))
beforeEach(() => emptied(openD1(env.DB)))

test('login begin: 0 trips', async () => {
  const visitor = (await newProcess()).visitor()
  expect(await trips(() => succeeds(visitor.post('/v1/login/begin', {})))).toEqual({ database: [], kv: [] })
})

test('login finish with a key that this process has seen: 1 trip of 8 statements, KV is not asked', async () => {
  const { process, passkey } = await newAdministrator()
  expect(await finishIn(process, passkey)).toEqual({ database: [8], kv: [] })
})

test('login finish in a new process when KV has the key: 1 trip of 8 statements, and KV is asked once', async () => {
  const { passkey } = await newAdministrator()
  const cold = await newProcess()
  expect(await finishIn(cold, passkey)).toMatchObject({ database: [8], kv: ['get'] })
  expect(await finishIn(cold, passkey)).toEqual({ database: [8], kv: [] })
})

test('login finish when neither memory nor KV has the key: 2 trips, one reads the key; then 1', async () => {
  const { passkey } = await newAdministrator(false)
  const cold = await newProcess()
  expect(await finishIn(cold, passkey)).toEqual({ database: [1, 8], kv: ['get', 'put'] })
  const colder = await newProcess()
  expect((await finishIn(colder, passkey)).database).toEqual([8])
})

test('login finish without any KV: 2 trips in a new process, then 1', async () => {
  const { passkey } = await newAdministrator(false)
  const cold = await newProcess(false)
  expect(await finishIn(cold, passkey)).toEqual({ database: [1, 8], kv: [] })
  expect(await finishIn(cold, passkey)).toEqual({ database: [8], kv: [] })
})

test('first administrator: begin 1 trip of 2 statements, finish 1 trip of 11', async () => {
  const process = await newProcess()
  const passkey = await newAuthenticator({ origin, rpId })
  const visitor = process.visitor()
  let secret = ''
  const offering = await trips(async () => {
    secret = (await offerFirstAdministrator(process.ports, asking))?.secret ?? ''
  })
  expect(offering).toEqual({ database: [3], kv: [] })
  let begun: { ticket: string; options: CreationOptions } | undefined
  const beginning = await trips(async () => {
    begun = (await visitor.post('/v1/first-administrator/begin', { secret, name: 'Ada' })).json
  })
  expect(beginning).toEqual({ database: [2], kv: [] })
  const { ticket, options } = begun!
  const registration = await passkey.create(options)
  const body = { secret, ticket, registration }
  const finishing = await trips(() => succeeds(visitor.post('/v1/first-administrator/finish', body)))
  expect(finishing).toEqual({ database: [11], kv: [] })
})

test('passkey add: begin 1 trip of 3 statements', async () => {
  const { passkey, visitor } = await newAdministrator()
  const added = await newAuthenticator({ origin, rpId })
  expect(await trips(() => addBody(visitor, passkey, added))).toEqual({ database: [3], kv: [] })
})

test('passkey add: finish 1 trip of 12 statements', async () => {
  const { passkey, visitor } = await newAdministrator()
  const body = await addBody(visitor, passkey, await newAuthenticator({ origin, rpId }))
  expect(await trips(() => succeeds(visitor.post('/v1/passkeys/finish', body)))).toEqual({ database: [12], kv: [] })
})

test('passkey remove: begin 1 trip of 5 statements, finish 1 trip of 16', async () => {
  const { passkey, visitor } = await newAdministrator()
  const added = await newAuthenticator({ origin, rpId })
  await succeeds(visitor.post('/v1/passkeys/finish', await addBody(visitor, passkey, added)))
  const path = `/v1/passkeys/${added.credentialId}/remove`
  let body: Awaited<ReturnType<typeof removeBody>> | undefined
  const beginning = await trips(async () => {
    body = await removeBody(visitor, passkey, added.credentialId)
  })
  expect(beginning).toEqual({ database: [5], kv: [] })
  expect(await trips(() => succeeds(visitor.post(path, body!)))).toEqual({ database: [16], kv: [] })
})

test('pages: account 1 trip of 10 statements (one notes that the session is in use, once a minute), sign-in 0 without a session, health 0', async () => {
  const { process, visitor } = await newAdministrator()
  expect(await trips(() => succeeds(visitor.get('/account')))).toEqual({ database: [10, 1], kv: [] })
  const stranger = process.visitor()
  expect((await trips(() => stranger.get('/account'))).database).toEqual([])
  for (const [path, cost] of [
    ['/', []],
    ['/healthz', []],
    ['/readyz', [2]],
    ['/first-administrator', [2]],
  ] as const) {
    expect((await trips(() => succeeds(stranger.get(path)))).database, path).toEqual(cost)
  }
})

test('logout: 1 trip of 4 statements', async () => {
  const { visitor } = await newAdministrator()
  expect(await trips(() => succeeds(visitor.post('/v1/logout', {})))).toEqual({ database: [4], kv: [] })
})

test('ending another session: 1 trip of 4 statements', async () => {
  const { process, passkey, visitor } = await newAdministrator()
  const other = process.visitor()
  await succeeds(login(other, passkey))
  const id = [...other.cookies.values()].find((cookie) => cookie.includes('.'))?.split('.')[0]
  expect((await trips(() => succeeds(visitor.post(`/v1/sessions/${id}/end`, {})))).database).toEqual([4])
})

test('login finish with a wrong signature: 1 trip to see whether the copy of the key is right, and 1 for the audit row', async () => {
  const { process, passkey } = await newAdministrator()
  const visitor = process.visitor()
  const body = await loginBody(visitor, passkey, { badSignature: true })
  const cost = await trips(async () => expect((await visitor.post('/v1/login/finish', body)).status).toBe(401))
  expect(cost).toEqual({ database: [1, 1], kv: [] })
})

test('login finish that the batch refuses: the batch, 1 trip for the key, and 1 for the audit row', async () => {
  const { process, passkey } = await newAdministrator()
  const visitor = process.visitor()
  const body = await loginBody(visitor, passkey)
  await succeeds(visitor.post('/v1/login/finish', body))
  const cost = await trips(async () => expect((await visitor.post('/v1/login/finish', body)).status).toBe(401))
  expect(cost).toEqual({ database: [8, 1, 1], kv: [] })
})

test('login finish with an unknown passkey costs what a key costs that is met for the first time, and the audit row', async () => {
  const { process, passkey } = await newAdministrator()
  const stranger = await newAuthenticator({ origin, rpId })
  stranger.userHandle = passkey.userHandle
  const visitor = process.visitor()
  const body = await loginBody(visitor, stranger)
  const cost = await trips(async () => expect((await visitor.post('/v1/login/finish', body)).status).toBe(401))
  expect(cost).toEqual({ database: [1, 1], kv: ['get'] })
})

test('a refused begin: its read, and 1 trip for the audit row', async () => {
  const { process } = await newAdministrator()
  const visitor = process.visitor()
  const cost = await trips(async () => {
    const reply = await visitor.post('/v1/first-administrator/begin', { secret: 'AAAA', name: 'Eve' })
    expect(reply.status).toBe(410)
  })
  expect(cost).toEqual({ database: [2, 1], kv: [] })
})

test('worker/index.ts: the first request of an isolate asks at once whose database it is and how people log in', async () => {
  vi.spyOn(console, 'info').mockImplementation(() => undefined)
  const bindings = {
    ...counted,
    ASSETS: { fetch: async () => new Response(null, { status: 404 }) },
    ATTEMPTS: { limit: async () => ({ success: true }) },
    SALLYPORT_PUBLIC_URL: origin,
    SALLYPORT_KEY: base64url(new Uint8Array(32)),
  }
  const send = (url: string, init: RequestInit) => worker.fetch(new Request(url, init), bindings)
  const begin = () => succeeds(new Visitor(origin, send).post('/v1/login/begin', {}))
  expect(await trips(begin)).toEqual({ database: [2, 1], kv: [] })
  expect(await trips(begin)).toEqual({ database: [], kv: [] })
})

test('worker/index.ts: the schedule clears in 1 trip of 6 statements', async () => {
  const bindings = { DB: counted.DB } as Parameters<typeof worker.scheduled>[1]
  expect(await trips(() => worker.scheduled(undefined, bindings))).toEqual({ database: [6], kv: [] })
})
