import { expect, test } from 'vitest'
import { minutes, seconds } from '../../core/model.ts'
import { builtInClients } from '../../core/oauth/clients.ts'
import { type lastRefusal, newAdministrator, newLogin } from '../edge.ts'
import { endsOf, loginsOf } from '../people.ts'
import { approve, askOf, type Program, parametersAt } from '../program.ts'
import { race, statuses } from '../race.ts'

const clients = new Map([...builtInClients, ['other', { id: 'other', name: 'Another program' }]])

/** A code that was approved and not yet exchanged. */
async function approved() {
  const { edge, passkey, visitor } = await newAdministrator({ clients })
  const program = await edge.program()
  const asked = askOf(program.key)
  const { location } = (await approve(visitor, passkey, asked)).json
  const code = parametersAt(location).get('code') ?? ''
  return { edge, visitor, program, asked, code, form: program.codeForm(code, asked) }
}

const whyRefused = (edge: Parameters<typeof lastRefusal>[0]) =>
  edge.rows("select code, json_extract(detail, '$.why') as why from audit order by seq desc limit 1")[0]

test('a code that is used again is refused, and ends the login that it opened', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, code, asked, tokens } = await newLogin(edge, visitor, passkey)
  expect(await program.token(program.codeForm(code, asked))).toMatchObject({
    status: 400,
    json: { error: 'invalid_grant' },
  })
  expect(whyRefused(edge)).toEqual({ code: 'code_invalid', why: 'used' })
  expect(loginsOf(edge)).toEqual([{ end_reason: 'code_reused' }])
  expect((await program.call('GET', '/v1/me', tokens.access_token)).status).toBe(401)
  const refreshed = await program.refresh(tokens.refresh_token)
  expect(refreshed.status).toBe(400)
  expect(refreshed.json.error_description).toMatch(/code of this login was used a second time/)
  await program.token(program.codeForm(code, asked))
  expect(endsOf(edge)).toEqual([{ detail: '{"reason":"code_reused"}' }])
})

test('who has the code and not its verifier ends nothing by using it again', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, code, asked, tokens } = await newLogin(edge, visitor, passkey)
  const thief = await edge.program()
  expect((await thief.token(thief.codeForm(code, { ...asked, verifier: 'A'.repeat(43) }))).status).toBe(400)
  expect((await program.call('GET', '/v1/me', tokens.access_token)).status).toBe(200)
})

test('50 at once: one answer has tokens, and the reuse has ended the login that they are of', async () => {
  const { edge, program, form } = await approved()
  await program.needNonce()
  const proofs = await race(50, () => program.proof('POST', '/oauth/token'))
  const replies = await race(50, (i) => program.sendToken(form, proofs[i]))
  expect(statuses(replies)).toEqual({ 200: 1, 400: 49 })
  expect(loginsOf(edge)).toEqual([{ end_reason: 'code_reused' }])
  expect(endsOf(edge)).toHaveLength(1)
  const { access_token, refresh_token } = replies.find(({ status }) => status === 200)?.json ?? {}
  expect((await program.call('GET', '/v1/me', access_token)).status).toBe(401)
  expect((await program.refresh(refresh_token)).status).toBe(400)
})

test('a code lives for one minute', async () => {
  for (const [lived, status] of [
    [minutes(1) - seconds(1), 200],
    [minutes(1), 400],
  ] as const) {
    const { edge, program, form } = await approved()
    edge.advance(lived)
    expect((await program.token(form)).status).toBe(status)
    if (status === 400) expect(whyRefused(edge)).toEqual({ code: 'code_invalid', why: 'expired' })
  }
})

type Made = Awaited<ReturnType<typeof approved>>
const others: Record<string, { form?: Record<string, string>; by?: (made: Made) => Promise<Program>; why: string }> = {
  'of another client': { form: { client_id: 'other' }, why: 'of another client' },
  'for another port': { form: { redirect_uri: 'http://127.0.0.1:49153/callback' }, why: 'for another redirect' },
  'for the other loopback address': {
    form: { redirect_uri: 'http://[::1]:49152/callback' },
    why: 'for another redirect',
  },
  'with another verifier': { form: { code_verifier: 'A'.repeat(43) }, why: 'verifier' },
  'with a proof of another key': { by: ({ edge }) => edge.program(), why: 'of another key' },
  'that nobody was given': { form: { code: 'A'.repeat(43) }, why: 'unknown' },
}

test.each(Object.entries(others))('a code %s is refused, and is still good for its own program', async (_, other) => {
  const made = await approved()
  const { edge, program, form } = made
  const thief = (await other.by?.(made)) ?? program
  expect(await thief.token({ ...form, ...other.form })).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  expect(whyRefused(edge)).toEqual({ code: 'code_invalid', why: other.why })
  expect(loginsOf(edge)).toEqual([])
  expect((await program.token(form)).status).toBe(200)
})

test('why a code is refused stays inside', async () => {
  const { program, form } = await approved()
  const replies = [
    await program.token({ ...form, client_id: 'other' }),
    await program.token({ ...form, code: 'A'.repeat(43) }),
    await program.token({ ...form, code_verifier: 'A'.repeat(43) }),
  ]
  expect(new Set(replies.map(({ json: { request_id: _, ...told } }) => JSON.stringify(told))).size).toBe(1)
})
