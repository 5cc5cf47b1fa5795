import { expect, test } from 'vitest'
import { lastRefusal, newAdministrator, newLogin } from '../edge.ts'
import { askOf, type Program, type Tokens } from '../program.ts'

const failuresAMinute = 10

type Guess = (thief: Program, tokens: Tokens) => Promise<{ status: number }>
const guesses: Record<string, { guess: Guess; status: number }> = {
  codes: { guess: (thief) => thief.token(thief.codeForm('A'.repeat(43), askOf(thief.key))), status: 400 },
  'refresh tokens': { guess: (thief) => thief.refresh(`${'A'.repeat(22)}.1.${'A'.repeat(43)}`), status: 400 },
  clients: { guess: (thief) => thief.token({ ...thief.refreshForm('x'), client_id: 'x' }), status: 400 },
  'access tokens': { guess: (thief) => thief.call('GET', '/v1/me', 'e30.e30.AAAA'), status: 401 },
  'a stolen access token': { guess: (thief, tokens) => thief.call('GET', '/v1/me', tokens.access_token), status: 401 },
}

test.each(Object.entries(guesses))(
  'who guesses %s has to wait after ten a minute; others do not',
  async (_, { guess, status }) => {
    const { edge, passkey, visitor } = await newAdministrator({ failuresAMinute })
    const { program, tokens } = await newLogin(edge, visitor, passkey)
    const thief = await edge.program()
    await thief.needNonce()
    for (let i = 0; i < failuresAMinute; i++) expect((await guess(thief, tokens)).status).toBe(status)
    const limited = await thief.call('GET', '/v1/me', tokens.access_token)
    expect(limited).toMatchObject({ status: 429, json: { error: 'too_many_attempts' } })
    const wait = Number(limited.headers.get('retry-after'))
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(60)
    expect((await thief.token(thief.refreshForm(tokens.refresh_token))).status).toBe(429)
    expect((await program.call('GET', '/v1/me', tokens.access_token)).status).toBe(200)
    expect((await program.refresh(tokens.refresh_token)).status).toBe(200)
    edge.advance(60_000)
    expect((await guess(thief, tokens)).status).toBe(status)
  },
)

test('who guesses invites has to wait too; his programs do not, and who guesses tokens can still open an invite', async () => {
  const { edge } = await newAdministrator({ failuresAMinute })
  const thief = await edge.program()
  const guess = () => thief.visitor.post('/v1/invites/check', { invite: 'A'.repeat(43) })
  for (let i = 0; i < failuresAMinute; i++) expect((await guess()).status).toBe(410)
  expect((await guess()).status).toBe(429)
  for (let i = 0; i < failuresAMinute; i++) expect((await thief.call('GET', '/v1/me', 'e30.e30.AAAA')).status).toBe(401)
  const other = await edge.program()
  for (let i = 0; i <= failuresAMinute; i++) await other.call('GET', '/v1/me', 'e30.e30.AAAA')
  expect((await other.visitor.post('/v1/invites/check', { invite: 'A'.repeat(43) })).status).toBe(410)
})

test('a nonce that is due and a clock that is wrong are nobody’s guesses', async () => {
  const { edge, passkey, visitor } = await newAdministrator({ failuresAMinute })
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  for (let i = 0; i < 2 * failuresAMinute; i++) {
    await program.call('GET', '/v1/me', tokens.access_token, { parts: { nonce: 'old' } })
    await program.call('GET', '/v1/me', tokens.access_token, { parts: { iat: program.iat - 60 } })
  }
  expect(lastRefusal(edge)).toBe('dpop_clock')
  expect((await program.call('GET', '/v1/me', tokens.access_token)).status).toBe(200)
})

test('guesses fill the audit table only to its limit', async () => {
  const { edge, passkey, visitor } = await newAdministrator({ noiseAMinute: 5 })
  const { tokens } = await newLogin(edge, visitor, passkey)
  const thief = await edge.program()
  await thief.needNonce()
  const rows = () => edge.rows('select seq from audit').length
  const before = rows()
  for (const { guess } of Object.values(guesses)) for (let i = 0; i < 3; i++) await guess(thief, tokens)
  expect(rows() - before).toBeLessThanOrEqual(5)
})

test('a refused proof writes nothing but its refusal', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const { tokens } = await newLogin(edge, visitor, passkey)
  const spent = () => edge.rows('select id from spent').length
  const before = spent()
  const thief = await edge.program()
  for (let i = 0; i < 3; i++) await thief.call('GET', '/v1/me', tokens.access_token)
  for (let i = 0; i < 3; i++) await thief.refresh(`${'A'.repeat(22)}.1.${'A'.repeat(43)}`)
  expect(spent()).toBe(before)
})
