/** round-trips.workerd.test.ts, for the device flow: what asking, polling, the page and the approval cost. */
import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { openD1 } from '../../storage/d1.ts'
import { newProofKey, Program } from '../program.ts'
import { emptied } from './emptied.ts'
import { newAdministrator, succeeds, trips } from './trips.ts'

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS))
beforeEach(() => emptied(openD1(env.DB)))

/** The first administrator, whom a role allows it. */
async function newHeadlessAdministrator() {
  const administrator = await newAdministrator()
  await env.DB.batch([
    env.DB.prepare(
      `insert into documents (kind, name, document, revision, device_flow, updated_at, updated_by)
       values ('role', 'headless', '{}', 'r', 1, 1, 'x')`,
    ),
    env.DB.prepare("insert into user_roles select id, 'headless' from users"),
  ])
  const program = new Program(await newProofKey(), administrator.process.visitor())
  await program.needNonce()
  return { ...administrator, program }
}

test('asking 1 trip of 3 statements, the page 1 of 7, begin 1 of 7, finish 1 of 7 and 1 of 13, a poll 1 of 3, tokens 1 of 3 and 1 of 8', async () => {
  const { passkey, visitor, program } = await newHeadlessAdministrator()
  const ask = { client_id: 'sallyport-cli', dpop_jkt: program.key.jkt }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  let codes = { device_code: '', user_code: '' }
  const asking = await trips(async () => {
    const body = String(new URLSearchParams(ask))
    codes = (await program.visitor.request('POST', '/oauth/device_authorization', body, headers)).json
  })
  expect(asking).toEqual({ database: [3], kv: [] })
  const { device_code, user_code } = codes
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: 'sallyport-cli', device_code }
  const polling = await trips(async () => expect((await program.token(form)).json.error).toBe('authorization_pending'))
  expect(polling).toEqual({ database: [3], kv: [] })
  const page = await trips(() => succeeds(visitor.get(`/device?user_code=${user_code}`)))
  expect(page).toEqual({ database: [7], kv: [] })
  let begun: { ticket: string; options: Parameters<typeof passkey.get>[0] } | undefined
  const beginning = await trips(async () => {
    begun = (await visitor.post('/v1/device/begin', { user_code })).json
  })
  expect(beginning).toEqual({ database: [7], kv: [] })
  if (!begun) throw new Error('nothing begun')
  const assertion = await passkey.get(begun.options)
  const finish = { user_code, ticket: begun.ticket, assertion }
  expect(await trips(() => succeeds(visitor.post('/v1/device/finish', finish)))).toEqual({ database: [7, 13], kv: [] })
  // The last three: this cluster has no signing key yet.
  expect(await trips(() => succeeds(program.token(form)))).toEqual({ database: [3, 8, 1, 2, 1], kv: [] })
})
