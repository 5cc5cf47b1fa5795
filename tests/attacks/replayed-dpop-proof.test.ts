import { expect, test } from 'vitest'
import { seconds } from '../../core/model.ts'
import { purge } from '../../storage/cluster.ts'
import { lastRefusal, newAdministrator, newLogin } from '../edge.ts'
import { race, statuses } from '../race.ts'

async function loggedIn() {
  const { edge, passkey, visitor } = await newAdministrator()
  return { edge, ...(await newLogin(edge, visitor, passkey)) }
}

test('a proof is good for one request at the token endpoint, and the second one changes nothing', async () => {
  const { edge, program, tokens } = await loggedIn()
  const form = program.refreshForm(tokens.refresh_token)
  const proof = await program.proof('POST', '/oauth/token')
  expect((await program.sendToken(form, proof)).status).toBe(200)
  expect(await program.sendToken(form, proof)).toMatchObject({ status: 400, json: { error: 'invalid_dpop_proof' } })
  expect(lastRefusal(edge)).toBe('dpop_replayed')
  expect(edge.rows('select generation, end_reason from client_sessions')).toEqual([{ generation: 2, end_reason: null }])
})

test('a proof is good for one call', async () => {
  const { edge, program, tokens } = await loggedIn()
  const token = tokens.access_token
  const dpop = await program.proof('GET', '/v1/me', { accessToken: token })
  const send = () => program.call('GET', '/v1/me', token, { headers: { dpop } })
  expect((await send()).status).toBe(200)
  expect(await send()).toMatchObject({ status: 401, json: { error: 'invalid_dpop_proof' } })
  expect(lastRefusal(edge)).toBe('dpop_replayed')
})

test('50 with one proof at once: one is answered', async () => {
  const { program, tokens } = await loggedIn()
  const token = tokens.access_token
  const dpop = await program.proof('GET', '/v1/me', { accessToken: token })
  const calls = await race(50, () => program.call('GET', '/v1/me', token, { headers: { dpop } }))
  expect(statuses(calls)).toEqual({ 200: 1, 401: 49 })

  const proof = await program.proof('POST', '/oauth/token')
  const form = program.refreshForm(tokens.refresh_token)
  expect(statuses(await race(50, () => program.sendToken(form, proof)))).toEqual({ 200: 1, 400: 49 })
})

test('of two proofs that share a jti the second is refused, whatever it is for', async () => {
  const { edge, program, tokens } = await loggedIn()
  const jti = '-BwC3ESc6acc2lTc'
  const me = await program.call('GET', '/v1/me', tokens.access_token, { parts: { jti } })
  expect(me.status).toBe(200)
  expect((await program.call('GET', '/v1/users', tokens.access_token, { parts: { jti } })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('dpop_replayed')
  expect((await program.token(program.refreshForm(tokens.refresh_token), { jti })).status).toBe(400)
  expect(lastRefusal(edge)).toBe('dpop_replayed')
})

test('a jti is spent for its own key alone: nobody can spend another’s', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const [one, other] = [await newLogin(edge, visitor, passkey), await newLogin(edge, visitor, passkey)]
  const jti = 'the same for both'
  for (const { program, tokens } of [one, other]) {
    expect((await program.call('GET', '/v1/me', tokens.access_token, { parts: { jti } })).status).toBe(200)
  }
})

test('a proof stays spent for as long as its time is right, however often the database is purged', async () => {
  const { edge, program, tokens } = await loggedIn()
  // Its clock is 25 seconds ahead, so it is good for 55.
  const parts = { jti: 'ahead', iat: program.iat + 25 }
  expect((await program.call('GET', '/v1/me', tokens.access_token, { parts })).status).toBe(200)
  for (const code of ['dpop_replayed', 'dpop_replayed', 'dpop_clock']) {
    await purge(edge.store, edge.ports.now())
    expect((await program.call('GET', '/v1/me', tokens.access_token, { parts })).status).toBe(401)
    expect(lastRefusal(edge)).toBe(code)
    edge.advance(seconds(28))
  }
})
