import { expect, test } from 'vitest'
import { base64url, utf8 } from '../../core/lib/bytes.ts'
import { intentIn, loginBody } from '../client.ts'
import { lastRefusal, newAdministrator } from '../edge.ts'

test('a ticket whose intent was edited is refused, with the old seal or none', async () => {
  const { edge, passkey } = await newAdministrator()
  const visitor = edge.visitor()
  const { ticket, assertion } = await loginBody(visitor, passkey)
  const [, seal = ''] = ticket.split('.')
  const longer = base64url(utf8(JSON.stringify({ ...intentIn(ticket), exp: 4_000_000_000 })))
  for (const forged of [
    `${longer}.${seal}`,
    `${longer}.`,
    longer,
    '',
    '.',
    `${ticket}.${seal}`,
    `${ticket}A`,
    `${ticket}=`,
  ]) {
    expect(await visitor.post('/v1/login/finish', { ticket: forged, assertion })).toMatchObject({ status: 401 })
    expect(lastRefusal(edge)).toBe('ticket_invalid')
  }
})
