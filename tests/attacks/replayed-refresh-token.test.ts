import { expect, test } from 'vitest'
import { seconds } from '../../core/model.ts'
import type { Authenticator } from '../authenticator.ts'
import type { Visitor } from '../client.ts'
import { lastRefusal, newAdministrator, newLogin, type TestEdge } from '../edge.ts'
import { endsOf, loginsOf } from '../people.ts'
import type { Program } from '../program.ts'
import { race, statuses } from '../race.ts'

interface Scene {
  readonly edge: TestEdge
  readonly visitor: Visitor
  readonly passkey: Authenticator
  readonly program: Program
  /** The refresh tokens, oldest first. */
  readonly tokens: readonly string[]
}

/** A login that was refreshed so many times. */
async function refreshed(times: number): Promise<Scene> {
  const { edge, visitor, passkey } = await newAdministrator()
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  const all = [tokens.refresh_token]
  for (let i = 0; i < times; i++) all.push((await program.refresh(all.at(-1) ?? '')).json.refresh_token)
  return { edge, visitor, passkey, program, tokens: all }
}

const generationOf = (edge: TestEdge) => edge.rows('select generation from client_sessions')[0]?.['generation']

async function expectEnded({ edge, visitor, program, tokens }: Scene, reason: string, words: RegExp) {
  expect(loginsOf(edge)).toEqual([{ end_reason: reason }])
  expect(endsOf(edge)).toEqual([{ detail: JSON.stringify({ reason }) }])
  const newest = await program.refresh(tokens.at(-1) ?? '')
  expect(newest).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  expect(newest.json.error_description).toMatch(words)
  expect(lastRefusal(edge)).toBe('client_session_ended')
  expect((await visitor.get('/account')).text).toMatch(words)
}

test('within a minute its own key is given the very same successor again', async () => {
  const { edge, program, tokens } = await refreshed(1)
  const [first = '', second] = tokens
  edge.advance(seconds(59))
  const again = await program.refresh(first)
  expect(again).toMatchObject({ status: 200, json: { refresh_token: second } })
  expect(generationOf(edge)).toBe(2)
  expect((await program.call('GET', '/v1/me', again.json.access_token)).status).toBe(200)
})

test('a minute later it ends the login, and its user reads why', async () => {
  const scene = await refreshed(1)
  scene.edge.advance(seconds(60))
  const reply = await scene.program.refresh(scene.tokens[0] ?? '')
  expect(reply.status).toBe(400)
  expect(reply.json.error_description).toMatch(/refresh token of this login was used a second time/)
  await expectEnded(scene, 'token_reused', /refresh token of this login was used a second time/)
})

test('an older one ends the login at once', async () => {
  const scene = await refreshed(2)
  expect((await scene.program.refresh(scene.tokens[0] ?? '')).status).toBe(400)
  await expectEnded(scene, 'token_reused', /used a second time/)
})

test('50 that end it at once: one audit row', async () => {
  const scene = await refreshed(2)
  const { program, tokens } = scene
  const proofs = await race(50, () => program.proof('POST', '/oauth/token'))
  const replies = await race(50, (i) => program.sendToken(program.refreshForm(tokens[0] ?? ''), proofs[i]))
  expect(statuses(replies)).toEqual({ 400: 50 })
  await expectEnded(scene, 'token_reused', /used a second time/)
})

test.each([0, 1])(
  'shown with another key (the newest or the one before: -%i) it ends the login; the thief hears nothing of why',
  async (older) => {
    const scene = await refreshed(1)
    const { edge, tokens } = scene
    const thief = await edge.program()
    const stolen = tokens.at(-1 - older) ?? ''
    const told = await thief.refresh(stolen)
    expect(told).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    expect(lastRefusal(edge)).toBe('client_session_missing')
    const nothing = await thief.refresh(stolen.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')))
    expect(nothing.json.error_description).toBe(told.json.error_description)
    expect((await thief.refresh(stolen)).json.error_description).toBe(told.json.error_description)
    await expectEnded(scene, 'another_key', /used with another key/)
  },
)

test('50 refreshes of one token at once, each with a proof of its own: one successor for all', async () => {
  const { edge, program, tokens } = await refreshed(0)
  const proofs = await race(50, () => program.proof('POST', '/oauth/token'))
  const replies = await race(50, (i) => program.sendToken(program.refreshForm(tokens[0] ?? ''), proofs[i]))
  expect(statuses(replies)).toEqual({ 200: 50 })
  expect(new Set(replies.map(({ json }) => json.refresh_token)).size).toBe(1)
  expect(generationOf(edge)).toBe(2)
  expect(loginsOf(edge)).toEqual([{ end_reason: null }])
})

const altered: Record<string, (parts: [id: string, generation: string, seal: string]) => string> = {
  'of a generation that is still to come': ([id, , seal]) => `${id}.2.${seal}`,
  'of another login': ([, generation, seal]) => `${'A'.repeat(22)}.${generation}.${seal}`,
  'without a seal': ([id, generation]) => `${id}.${generation}.`,
  'with a generation written otherwise': ([id, generation, seal]) => `${id}.0${generation}.${seal}`,
  'with a tail': (parts) => `${parts.join('.')}.A`,
  'with a line after it': (parts) => `${parts.join('.')}\n`,
}

test.each(Object.entries(altered))('a token %s is none, and ends nothing', async (_, alter) => {
  const { edge, program, tokens } = await refreshed(0)
  const reply = await program.refresh(alter((tokens[0] ?? '').split('.') as [string, string, string]))
  expect(reply).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  expect(lastRefusal(edge)).toBe('refresh_invalid')
  expect(loginsOf(edge)).toEqual([{ end_reason: null }])
  expect((await program.refresh(tokens[0] ?? '')).status).toBe(200)
})

test('more scope than was approved is not to be had', async () => {
  const { edge, program, tokens } = await refreshed(0)
  const reply = await program.token({ ...program.refreshForm(tokens[0] ?? ''), scope: 'openid api admin' })
  expect(reply).toMatchObject({ status: 400, json: { error: 'invalid_scope' } })
  expect(lastRefusal(edge)).toBe('scope_invalid')
})
