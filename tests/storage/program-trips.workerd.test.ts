/** round-trips.workerd.test.ts, for programs: what an approval, a token request and a call cost. */
import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { openD1 } from '../../storage/d1.ts'
import { newAuthenticator } from '../authenticator.ts'
import { acceptBody, addUser, askTap, newInvitation, newReset, tapFor } from '../invited.ts'
import { approvalBody, askOf, newProofKey, Program, redirectUri } from '../program.ts'
import { emptied } from './emptied.ts'
import {
  newAdministrator,
  newProcess,
  origin,
  type Process,
  rpId,
  succeeds,
  trips,
  withCode,
  withTokens,
} from './trips.ts'

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS))
beforeEach(() => emptied(openD1(env.DB)))

/** The same program, at another process. */
function at(process: Process, { key, nonce }: Program): Program {
  const moved = new Program(key, process.visitor())
  moved.nonce = nonce
  return moved
}

const call = (program: Program, token: string) => () => succeeds(program.call('GET', '/v1/me', token))

test('authorize: the page 1 trip of 5 statements, begin 1 of 3, finish 1 of 11', async () => {
  const { process, passkey, visitor } = await newAdministrator()
  const { parameters } = askOf(await newProofKey())
  const path = `/oauth/authorize?${new URLSearchParams(parameters)}`
  expect(await trips(() => succeeds(visitor.get(path)))).toEqual({ database: [5], kv: [] })
  expect((await trips(() => process.visitor().get(path))).database).toEqual([])
  let body: Awaited<ReturnType<typeof approvalBody>> | undefined
  const beginning = await trips(async () => {
    body = await approvalBody(visitor, passkey, parameters)
  })
  expect(beginning).toEqual({ database: [3], kv: [] })
  const finishing = await trips(() => succeeds(visitor.post('/v1/authorize/finish', body!)))
  expect(finishing).toEqual({ database: [11], kv: [] })
})

test('a code: 1 trip of 8 statements where the signing key is known, and 1 to read it in a new process', async () => {
  const administrator = await newAdministrator()
  await withTokens(administrator)
  const warm = await withCode(administrator)
  expect(await trips(() => succeeds(warm.program.token(warm.form)))).toEqual({ database: [8], kv: [] })
  const { program, form } = await withCode(administrator)
  const cold = at(await newProcess(), program)
  expect(await trips(() => succeeds(cold.token(form)))).toEqual({ database: [8, 1], kv: [] })
})

test('the first code of a cluster makes the signing keys: 3 trips more, once', async () => {
  const { program, form } = await withCode(await newAdministrator())
  expect(await trips(() => succeeds(program.token(form)))).toEqual({ database: [8, 1, 2, 1], kv: [] })
})

test('a refresh: 1 trip of 6 statements, and 1 for the signing key in a new process', async () => {
  const { program, tokens } = await withTokens(await newAdministrator())
  let next = tokens.refresh_token
  const refresh = async (by: Program) => {
    const { status, json } = await by.refresh(next)
    expect(status).toBe(200)
    next = json.refresh_token
  }
  expect(await trips(() => refresh(program))).toEqual({ database: [6], kv: [] })
  const cold = at(await newProcess(), program)
  expect(await trips(() => refresh(cold))).toEqual({ database: [6, 1], kv: [] })
  expect(await trips(() => refresh(cold))).toEqual({ database: [6], kv: [] })
})

test('a call: 1 trip of 5 statements, and 1 for the keys in a new process', async () => {
  const { program, token } = await withTokens(await newAdministrator())
  expect(await trips(call(program, token))).toEqual({ database: [5], kv: [] })
  const cold = at(await newProcess(), program)
  expect(await trips(call(cold, token))).toEqual({ database: [1, 5], kv: [] })
  expect(await trips(call(cold, token))).toEqual({ database: [5], kv: [] })
})

test('a request without a nonce: 1 trip, for the audit row', async () => {
  const { program, tokens, token } = await withTokens(await newAdministrator())
  const refresh = program.refreshForm(tokens.refresh_token)
  const asking = trips(() => program.token(refresh, { nonce: undefined }))
  expect(await asking).toEqual({ database: [1], kv: [] })
  const calling = trips(() => program.call('GET', '/v1/me', token, { parts: { nonce: undefined } }))
  expect(await calling).toEqual({ database: [1], kv: [] })
})

test('a token request that is refused: the batch where it came so far, and 1 trip for the audit row', async () => {
  const administrator = await newAdministrator()
  const { program, form } = await withCode(administrator)
  await succeeds(program.token(form))
  const refused = (request: Record<string, string>) =>
    trips(async () => expect((await program.token(request)).status).toBe(400))
  // The batch, why it refused and whether that ended the login, whether a row says so, the row of the refusal.
  expect(await refused(form)).toEqual({ database: [8, 3, 1], kv: [] })
  expect(await refused({ ...form, code: 'unknown' })).toEqual({ database: [8, 3, 1], kv: [] })
  expect(await refused(program.refreshForm('unknown'))).toEqual({ database: [1], kv: [] })
  expect(await refused({ ...form, client_id: 'unknown' })).toEqual({ database: [1], kv: [] })
  expect(await refused({ grant_type: 'password' })).toEqual({ database: [], kv: [] })
})

test('a call that is refused: the batch where it came so far, and 1 trip for the audit row', async () => {
  const { program, tokens, token } = await withTokens(await newAdministrator())
  const refused = (given: string) =>
    trips(async () => expect((await program.call('GET', '/v1/me', given)).status).toBe(401))
  expect(await refused('no.token.atall')).toEqual({ database: [1], kv: [] })
  const form = String(new URLSearchParams({ token: tokens.refresh_token, client_id: 'sallyport-cli' }))
  const revoke = () =>
    succeeds(
      program.visitor.request('POST', '/oauth/revoke', form, { 'content-type': 'application/x-www-form-urlencoded' }),
    )
  expect(await trips(revoke)).toEqual({ database: [2], kv: [] })
  expect(await refused(token)).toEqual({ database: [5, 1], kv: [] })
})

test('users add: the ticket 1 trip of 5 statements, 1 that looks for the name and 1 for the passkeys, the page 1, the options 3, the request itself 5 and 14', async () => {
  const { program, token, visitor, passkey } = await withTokens(await newAdministrator())
  const { body } = await newInvitation('Grace')
  let ticket = ''
  const asking = await trips(async () => {
    ticket = await askTap(program, token, 'userAdd', body)
  })
  expect(asking).toEqual({ database: [5, 1, 1], kv: [] })
  const query = new URLSearchParams({ ticket, redirect_uri: 'http://127.0.0.1:1/callback', state: 's' })
  expect(await trips(() => succeeds(visitor.get(`/approve?${query}`)))).toEqual({ database: [1], kv: [] })
  let headers: Awaited<ReturnType<typeof tapFor>> | undefined
  const tapping = await trips(async () => {
    headers = await tapFor(visitor, passkey, ticket)
  })
  expect(tapping).toEqual({ database: [3], kv: [] })
  const adding = await trips(() => succeeds(program.call('POST', '/v1/users', token, { body, headers: headers! })))
  expect(adding).toEqual({ database: [5, 14], kv: [] })
})

test('users reset: the ticket 1 trip of 5 statements, 1 of 8 and 1 of 2 about the user and 1 for the passkeys, the request itself 5, 2 and 22', async () => {
  const { program, token, visitor, passkey } = await withTokens(await newAdministrator())
  await addUser({ program, token, visitor, passkey }, 'Grace')
  const { privateKey: _, body } = await newReset('Grace')
  let ticket = ''
  const asking = await trips(async () => {
    ticket = await askTap(program, token, 'userReset', body)
  })
  expect(asking).toEqual({ database: [5, 8, 2, 1], kv: [] })
  const headers = await tapFor(visitor, passkey, ticket)
  const resetting = await trips(() => succeeds(program.call('POST', '/v1/users/reset', token, { body, headers })))
  expect(resetting).toEqual({ database: [5, 2, 22], kv: [] })
})

test('an invite: check 1 trip of 4 statements, begin 1 of 4, finish 1 of 4 and 1 of 8', async () => {
  const administrator = await withTokens(await newAdministrator())
  const { reply, privateKey } = await addUser(administrator, 'Grace')
  const { invite } = reply.json as { invite: string }
  const visitor = administrator.process.visitor()
  const checking = await trips(() => succeeds(visitor.post('/v1/invites/check', { invite })))
  expect(checking).toEqual({ database: [4], kv: [] })
  let body: Awaited<ReturnType<typeof acceptBody>> | undefined
  const beginning = await trips(async () => {
    body = await acceptBody(visitor, invite, privateKey, await newAuthenticator({ origin, rpId }))
  })
  expect(beginning).toEqual({ database: [4], kv: [] })
  const finishing = await trips(() => succeeds(visitor.post('/v1/invites/finish', { ...body! })))
  expect(finishing).toEqual({ database: [4, 8], kv: [] })
})

test('administration: each list its call and 1 trip', async () => {
  const { program, token } = await withTokens(await newAdministrator())
  const cost = (path: string) => trips(() => succeeds(program.call('GET', path, token)))
  expect(await cost('/v1/users')).toEqual({ database: [5, 5], kv: [] })
  expect(await cost('/v1/logins')).toEqual({ database: [5, 2], kv: [] })
  expect(await cost('/v1/me/factors')).toEqual({ database: [5, 5], kv: [] })
  expect(await cost('/v1/documents')).toEqual({ database: [5, 1], kv: [] })
  expect(await cost('/v1/audit')).toEqual({ database: [5, 1], kv: [] })
  expect(await cost('/v1/cluster')).toEqual({ database: [5, 1, 1], kv: [] })
})

test('a tapped change: the ticket its call, what is there and the passkeys; the request its call, what is there, and 1 batch', async () => {
  const { program, token, visitor, passkey } = await withTokens(await newAdministrator())
  const tapped = async (operation: string, method: string, path: string, more: { parameters?: Json; body?: Json }) => {
    const asked = { operation, ...more, redirect_uri: redirectUri, state: 's' }
    let ticket = ''
    const asking = await trips(async () => {
      ticket = (await program.call('POST', '/v1/taps', token, { body: asked })).json.ticket
    })
    const begun = structuredClone(asking)
    const headers = await tapFor(visitor, passkey, ticket)
    const sent = { headers, ...(more.body !== undefined && { body: more.body }) }
    return [begun, await trips(() => succeeds(program.call(method, path, token, sent)))]
  }
  const lock = { kind: 'lock', version: 'v2', metadata: { name: 'l' }, spec: { target: { user: 'Grace' } } }
  const body = { documents: [lock] }
  // The last one reads the preference again, which the documents may have changed.
  expect(await tapped('documentsPut', 'POST', '/v1/documents', { body })).toEqual([
    { database: [5, 1, 1], kv: [] },
    { database: [5, 1, 13, 1], kv: [] },
  ])
  const parameters = { kind: 'lock', name: 'l' }
  expect(await tapped('documentRemove', 'DELETE', '/v1/documents/lock/l', { parameters })).toEqual([
    { database: [5, 1, 1], kv: [] },
    { database: [5, 1, 14], kv: [] },
  ])
  expect(await tapped('keysRotate', 'POST', '/v1/keys/rotate', { body: {} })).toEqual([
    { database: [5, 1, 1], kv: [] },
    { database: [5, 1, 15], kv: [] },
  ])
})

test('the key set: nothing from memory but the copy once, 1 look into KV where there is one, else the database', async () => {
  const { process } = await withTokens(await newAdministrator())
  const ask = (by: Process) => trips(() => succeeds(by.visitor().get('/oauth/jwks')))
  expect(await ask(process)).toEqual({ database: [], kv: ['put'] })
  expect(await ask(process)).toEqual({ database: [], kv: [] })
  expect(await ask(await newProcess())).toEqual({ database: [], kv: ['get'] })
  const alone = await newProcess(false)
  expect(await ask(alone)).toEqual({ database: [1], kv: [] })
  expect(await ask(alone)).toEqual({ database: [], kv: [] })
})

test('discovery and the description: nothing', async () => {
  const { process } = await newAdministrator()
  const paths = ['oauth-authorization-server', 'openid-configuration'].map((name) => `/.well-known/${name}`)
  for (const path of [...paths, '/openapi.json'])
    expect(await trips(() => succeeds(process.visitor().get(path))), path).toEqual({ database: [], kv: [] })
})
