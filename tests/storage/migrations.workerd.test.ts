/** A migration that rebuilds a table, on a D1 that holds something: D1 enforces references while it runs. */
import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'

test('0005_factors.sql and 0007_code_approvals.sql keep sessions, codes, programs and whatever else is there', async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS.slice(0, 3))
  await env.DB.batch(
    [
      "insert into users (id, name, name_key, created_at) values ('u', 'Ada', 'ada', 1)",
      "insert into credentials values ('c', 'u', 'Key', x'01', 'f', 'rp', 0, '[]', 'a', 0, 0, 1, 1, null, 1, null, null)",
      "insert into sessions values ('s', x'01', 'u', 'c', 2, 3, null, 'a', 'p', 'b')",
      "insert into codes values ('h', 'p', 'cli', 'uri', 'chal', 'jkt', 'api', 'n', 'u', 'c', 'i', 1, 2, null)",
      "insert into client_sessions values ('p', 'u', 'c', 'cli', 'jkt', 'api', 1, 7, 2, 3, null, null, null, 'a', 'p', 'b')",
    ].map((sql) => env.DB.prepare(sql)),
  )
  await applyD1Migrations(env.DB, env.MIGRATIONS)
  const rows = async (table: string) => (await env.DB.prepare(`select * from ${table}`).all()).results
  expect(await rows('sessions')).toMatchObject([{ id: 's', user_id: 'u', credential_id: 'c', via: 'passkey' }])
  const approved = { user_id: 'u', credential_id: 'c', totp_id: null }
  expect(await rows('codes')).toMatchObject([
    { ...approved, hash: 'h', password_id: null, intent_id: 'i', used_at: null },
  ])
  expect(await rows('client_sessions')).toMatchObject([{ ...approved, id: 'p', generation: 7, via: 'browser' }])
  expect(await rows('credentials')).toMatchObject([{ id: 'c', user_id: 'u' }])
  expect(await rows('users')).toMatchObject([{ id: 'u', name: 'Ada' }])
  const { results: triggers } = await env.DB.prepare(
    "select count(*) as n from sqlite_master where type = 'trigger'",
  ).all()
  expect(triggers).toEqual([{ n: 15 }])
})
