import { expect, test } from 'vitest'
import { hmacKey } from '../../core/lib/hash.ts'
import { minutes, seconds } from '../../core/model.ts'
import { nonceAt, nonceKeyOf } from '../../core/oauth/nonce.ts'
import { lastRefusal, newAdministrator, newLogin } from '../edge.ts'

async function loggedIn() {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  const me = (parts: Parameters<typeof program.call>[3]) => program.call('GET', '/v1/me', tokens.access_token, parts)
  return { edge, program, tokens, me }
}

test.each([-40, -31, 31, 40])('a clock that is %i seconds off is told that it is the clock', async (off) => {
  const { edge, program, tokens, me } = await loggedIn()
  const iat = program.iat + off
  const replies = [
    await me({ parts: { iat } }),
    await program.token(program.refreshForm(tokens.refresh_token), { iat }),
  ]
  expect(replies.map(({ status }) => status)).toEqual([401, 400])
  for (const { json } of replies) {
    expect(json.error).toBe('invalid_dpop_proof')
    expect(json.message).toMatch(/^Set the clock of this machine: it differs .* more than 30 seconds/)
  }
  expect(lastRefusal(edge)).toBe('dpop_clock')
})

test.each([-30, -25, 25, 30])('a clock that is %i seconds off is right enough', async (off) => {
  const { program, me } = await loggedIn()
  expect((await me({ parts: { iat: program.iat + off } })).status).toBe(200)
})

test('a proof that was made before, with its nonce, does not outlive half a minute', async () => {
  const { edge, program, tokens, me } = await loggedIn()
  const dpop = await program.proof('GET', '/v1/me', { accessToken: tokens.access_token })
  edge.advance(seconds(31))
  expect((await me({ headers: { dpop } })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('dpop_clock')
})

test('without a good nonce a proof is refused, and a good one is given', async () => {
  const { edge, program, tokens, me } = await loggedIn()
  const old = program.nonce ?? ''
  const anotherCluster = nonceAt(nonceKeyOf(hmacKey(new Uint8Array(32).fill(9))), edge.ports.now())
  const wrong = [undefined, '', 'x', anotherCluster, old.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')), `${old}A`]
  for (const nonce of wrong) {
    const reply = await me({ parts: { nonce } })
    expect(reply).toMatchObject({ status: 401, json: { error: 'use_dpop_nonce' } })
    expect(reply.headers.get('www-authenticate')).toContain('error="use_dpop_nonce"')
    expect(reply.headers.get('dpop-nonce')).toBe(old)
    const token = await program.token(program.refreshForm(tokens.refresh_token), { nonce })
    expect(token).toMatchObject({ status: 400, json: { error: 'use_dpop_nonce' } })
    expect(lastRefusal(edge)).toBe('dpop_nonce')
  }
  expect((await me({ parts: { nonce: old } })).status).toBe(200)
})

test('a nonce is good for its window of five minutes and the next one, and for no third', async () => {
  // The test's clock begins with a window.
  const { edge, program, tokens, me } = await loggedIn()
  const { nonce } = program
  let token = tokens.refresh_token
  for (const [step, error] of [
    [minutes(5) - seconds(1), undefined],
    [minutes(5), undefined],
    [seconds(1), 'use_dpop_nonce'],
  ] as const) {
    edge.advance(step)
    const reply = await program.token(program.refreshForm(token), { nonce })
    expect(reply.json.error).toBe(error)
    token = reply.json.refresh_token
  }
  expect((await me({ parts: { nonce } })).status).toBe(401)
})
