import { expect, test } from 'vitest'
import { lastRefusal, newAdministrator } from '../edge.ts'
import { loginsOf } from '../people.ts'
import { type Asked, approve, askOf, parametersAt } from '../program.ts'

async function approved(more: Record<string, string | undefined> = {}) {
  const { edge, passkey, visitor } = await newAdministrator()
  const program = await edge.program()
  const asked = askOf(program.key, more)
  const code = parametersAt((await approve(visitor, passkey, asked)).json.location).get('code') ?? ''
  return { edge, program, asked, code, form: program.codeForm(code, asked) }
}

const verifiers: Record<string, [verifier: (asked: Asked) => string, error: string, code: string]> = {
  'no verifier': [() => '', 'invalid_request', 'token_request_invalid'],
  'another verifier': [() => 'A'.repeat(43), 'invalid_grant', 'code_invalid'],
  'a verifier with another end': [
    ({ verifier }) => `${verifier.slice(0, 42)}${verifier.endsWith('A') ? 'E' : 'A'}`,
    'invalid_grant',
    'code_invalid',
  ],
  'a verifier that is longer by one': [({ verifier }) => `${verifier}A`, 'invalid_grant', 'code_invalid'],
  'a verifier that is too short': [({ verifier }) => verifier.slice(0, 42), 'invalid_request', 'token_request_invalid'],
  'a verifier that is too long': [() => 'A'.repeat(129), 'invalid_request', 'token_request_invalid'],
  'a verifier of other letters': [() => `${'A'.repeat(42)}ä`, 'invalid_request', 'token_request_invalid'],
  'the challenge as verifier': [
    ({ parameters }) => parameters['code_challenge'] ?? '',
    'invalid_grant',
    'code_invalid',
  ],
}

test.each(Object.entries(verifiers))('a code with %s gives no tokens', async (_, [verifier, error, code]) => {
  const { edge, program, asked, form } = await approved()
  const reply = await program.token({ ...form, code_verifier: verifier(asked) })
  expect(reply).toMatchObject({ status: 400, json: { error } })
  expect(lastRefusal(edge)).toBe(code)
  expect(loginsOf(edge)).toEqual([])
})

test('a code with the verifier of another flow of the same program gives no tokens', async () => {
  const { edge, program, form } = await approved()
  const other = askOf(program.key)
  expect((await program.token({ ...form, code_verifier: other.verifier })).status).toBe(400)
  expect(loginsOf(edge)).toEqual([])
})

const challenges: Record<string, Record<string, string | undefined>> = {
  'no challenge': { code_challenge: undefined },
  'no method, which would mean plain': { code_challenge_method: undefined },
  'the method plain': { code_challenge_method: 'plain' },
  'the method s256': { code_challenge_method: 's256' },
  'a short challenge': { code_challenge: 'A'.repeat(42) },
  'a challenge that is no hash': { code_challenge: 'A'.repeat(44) },
  'a challenge with padding': { code_challenge: `${'A'.repeat(43)}=` },
  'a challenge in plain base64': { code_challenge: `${'A'.repeat(41)}+A` },
  'no key': { dpop_jkt: undefined },
  'a key that is no thumbprint': { dpop_jkt: 'x' },
}

test.each(Object.entries(challenges))(
  'a request with %s is refused at its redirect, and cannot be tapped',
  async (_, more) => {
    const { edge, visitor } = await newAdministrator()
    const { parameters, state } = askOf((await edge.program()).key, more)
    const page = await visitor.get(`/oauth/authorize?${new URLSearchParams(parameters)}`)
    expect(page.status).toBe(302)
    const told = parametersAt(page.headers.get('location') ?? '')
    expect([told.get('error'), told.get('state'), told.get('code')]).toEqual(['invalid_request', state, null])
    expect((await visitor.post('/v1/authorize/begin', { request: parameters })).status).toBe(400)
    expect(edge.rows('select hash from codes')).toEqual([])
  },
)

test('RFC 7636 appendix B: its verifier fits its challenge', async () => {
  const { program, form } = await approved({ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' })
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  expect((await program.token({ ...form, code_verifier: verifier })).status).toBe(200)
})
