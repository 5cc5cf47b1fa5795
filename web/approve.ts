/** A tap for a program that waits: the browser carries it to the program's loopback address, and nothing else goes there. */
import type { Subjects } from '../core/intent.ts'
import { base64url, utf8 } from '../core/lib/bytes.ts'
import { startApproval } from './approval.ts'
import { intentOf, type RequestOptions } from './ceremony.ts'
import { post } from './edge.ts'
import { part } from './page.ts'

const asked = part('asked', HTMLElement)
const { ticket = '', redirect = '', state = '', issuer = '' } = asked.dataset
const purpose = (['session', 'register'] as const).find((one) => one === asked.dataset['purpose']) ?? 'admin'
const subject = JSON.parse(asked.dataset['shown'] ?? '') as Partial<Subjects[typeof purpose]>

startApproval({
  begin: async () => {
    const begun = await post<{ options: RequestOptions }>('/v1/taps/options', { ticket })
    await intentOf(ticket, { purpose, subject }, begun.options.challenge)
    return begun
  },
  finish: async (_, { assertion: tapped }) => {
    if (!tapped) throw new TypeError('Nothing but a tap approves this')
    const { clientDataJSON, authenticatorData, signature } = tapped.response
    const assertion = { id: tapped.id, response: { clientDataJSON, authenticatorData, signature } }
    const given = { tap: base64url(utf8(JSON.stringify({ ticket, assertion }))), state, iss: issuer }
    return { location: `${redirect}?${new URLSearchParams(given)}` }
  },
  refuse: () => post('/v1/taps/refuse', { ticket, redirect_uri: redirect, state }),
})
