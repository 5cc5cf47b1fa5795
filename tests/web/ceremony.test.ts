import { describe, expect, test } from 'vitest'
import { canonicalJson, challengeOf, type Intent } from '../../core/intent.ts'
import { base64url } from '../../core/lib/bytes.ts'
import { intentOf } from '../../web/ceremony.ts'

const path = '/v1/passkeys/AAAA/remove'
const intent: Intent<'admin'> = {
  v: 1,
  cluster: 'test',
  purpose: 'admin',
  id: 'AAAAAAAAAAAAAAAAAAAAAA',
  user: 'u',
  holder: 'h',
  subject: { method: 'POST', path, body_hash: 'b', revision: 'r', summary: 's' },
  iat: 1,
  exp: 2,
}
const ticketOf = (content: Intent) => `${base64url(canonicalJson(content))}.seal`
const challenge = base64url(await challengeOf(intent))
const shown = { purpose: 'admin', subject: { method: 'POST', path } } as const

describe('intentOf', () => {
  test('gives the intent when purpose, subject and challenge are those of what is shown', async () => {
    expect(await intentOf(ticketOf(intent), shown, challenge)).toEqual(intent)
  })

  const other = base64url(new Uint8Array(32))
  const subject = { ...intent.subject, path: '/v1/passkeys/BBBB/remove' }
  test.each([
    ['a challenge of something else', ticketOf(intent), [other]],
    ['a second challenge of something else', ticketOf(intent), [challenge, other]],
    ['a subject that is not the one shown', ticketOf({ ...intent, subject }), []],
    ['another purpose', ticketOf({ ...intent, purpose: 'presence' }), []],
    ['an intent that was changed after its challenge', ticketOf({ ...intent, exp: 3 }), [challenge]],
    ['no ticket', 'x', []],
    ['an empty ticket', '', []],
  ])('refuses %s', async (_, ticket, challenges) => {
    await expect(intentOf(ticket, shown, ...challenges)).rejects.toThrow()
  })

  test('refuses a subject that leaves out what is shown', async () => {
    const bare = { ...intent, subject: {} } as unknown as Intent
    await expect(intentOf(ticketOf(bare), shown)).rejects.toThrow('something other than what this page shows')
  })
})
