import { expect, test } from 'vitest'
import type { ClientSessionId } from '../../core/model.ts'
import { refreshTokenOf } from '../../core/oauth/refresh-token.ts'
import { newAccount } from '../accounts.ts'
import { newEdge } from '../edge.ts'
import { goodPassword, makeRecoveryCodes } from '../factors.ts'
import { call, newAdmin } from '../people.ts'

/** Everything in the database, and another SALLYPORT_KEY: what a thief of backups has. */
async function stolen() {
  const ada = await newAdmin()
  const thief = await newEdge({ store: ada.edge.store, key: new Uint8Array(32).fill(8) })
  return { ada, thief }
}

test('a copy of the database signs no token without SALLYPORT_KEY', async () => {
  const { ada, thief } = await stolen()
  await expect(thief.ports.keyring.current()).rejects.toThrow(/cannot be opened with SALLYPORT_KEY/)
  const rows = ada.edge.rows('select kid, sealed from signing_keys where sealed is not null')
  expect(rows).toHaveLength(2)
  for (const { kid, sealed } of rows) {
    const bytes = new Uint8Array(sealed as Uint8Array)
    expect(await thief.ports.keys.sealer.open(`signing key ${kid}`, bytes)).toBeUndefined()
    expect(await ada.edge.ports.keys.sealer.open(`signing key ${kid}`, bytes)).toBeDefined()
  }
})

test('a sealed key opens under its own name only: nobody makes an old key the current one by moving it', async () => {
  const { ada } = await stolen()
  const { edge } = ada
  await call(ada, 'GET', '/v1/cluster')
  edge.store.raw.exec(
    `update signing_keys set sealed = (select sealed from signing_keys where generation = 2) where generation = 1`,
  )
  edge.ports.keyring.forget()
  await expect(edge.ports.keyring.current()).rejects.toThrow(/cannot be opened/)
})

test('no app’s key is opened without SALLYPORT_KEY, nor under another app or user; no code on paper is in it', async () => {
  const { edge, passkey, visitor, secret } = await newAccount()
  const codes = await makeRecoveryCodes(visitor, passkey)
  const thief = await newEdge({ store: edge.store, key: new Uint8Array(32).fill(8) })
  const [row] = edge.rows('select id, user_id, sealed from totps')
  const sealed = new Uint8Array(row?.['sealed'] as Uint8Array)
  const about = `totp ${row?.['user_id']} ${row?.['id']}`
  expect((await edge.ports.keys.factors.open(about, sealed))?.length).toBe(20)
  expect(await thief.ports.keys.factors.open(about, sealed)).toBeUndefined()
  expect(await edge.ports.keys.sealer.open(about, sealed)).toBeUndefined()
  for (const other of [`totp ${row?.['user_id']} other`, `totp other ${row?.['id']}`])
    expect(await edge.ports.keys.factors.open(other, sealed)).toBeUndefined()
  const tables = edge.rows("select name from sqlite_master where type = 'table'").map(({ name }) => String(name))
  const written = JSON.stringify([edge.logged, ...tables.map((table) => edge.rows(`select * from "${table}"`))])
  for (const one of [goodPassword, secret, ...codes, ...codes.map((code) => code.replaceAll('-', ''))])
    expect(written).not.toContain(one)
})

test('no refresh token, nonce or ticket follows from it', async () => {
  const { ada, thief } = await stolen()
  const { id, generation } = ada.edge.rows('select id, generation from client_sessions')[0] ?? {}
  const made = refreshTokenOf(thief.ports.keys.refresh, id as ClientSessionId, Number(generation))
  expect(made).not.toBe(ada.refreshToken)
  expect((await ada.program.refresh(made)).status).toBe(400)
  expect((await call(ada, 'GET', '/v1/me')).status).toBe(200)
  const program = await thief.program()
  const nonce = await program.needNonce()
  const parts = { nonce }
  expect((await ada.program.call('GET', '/v1/me', ada.token, { parts })).json.error).toBe('use_dpop_nonce')
})
