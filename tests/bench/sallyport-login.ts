import type { Client, Contender } from './contender.ts'
import { cookiesOf, json } from './http.ts'
import type { Passkey } from './passkey.ts'
import { edgeCommand, enrollPasskeys } from './sallyport.ts'

export const sallyport: Contender<readonly Client[]> = {
  name: 'sallyport',
  command: edgeCommand,
  enroll: async (server, port, clients) => (await enrollPasskeys(server, port, clients)).map(clientOf),
}

/** A returning browser: it keeps its ceremony cookie from one login to the next. */
function clientOf(passkey: Passkey): Client {
  let holder = ''
  return async (connection) => {
    const begun = await connection.request('POST', '/v1/login/begin', holder, {})
    const { ticket, options } = json<{ ticket: string; options: { challenge: string } }>(begun)
    holder ||= cookiesOf(begun.head)
    const body = { ticket, assertion: passkey.assertion(options.challenge) }
    const finished = await connection.request('POST', '/v1/login/finish', holder, body)
    json(finished)
    if (!finished.head.includes('__Host-sallyport=')) throw new Error('no session cookie')
  }
}
