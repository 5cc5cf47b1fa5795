/** The peer: one user with one passkey per client, as its sign-up and its passkey plugin make them. */
import { join } from 'node:path'
import type { Client, Contender } from './contender.ts'
import { Connection, cookiesOf, json } from './http.ts'
import { Passkey } from './passkey.ts'

const program = join(import.meta.dirname, 'better-auth-server.mjs')

export const betterAuth: Contender<readonly Client[]> = {
  name: 'better_auth',

  command: (folder, port) => ({ args: [program, String(port), join(folder, 'better-auth.db')], env: {} }),

  async enroll(server, port, clients) {
    await server.said(/^ready/)
    const connection = await Connection.open(port)
    const enrolled: Client[] = []
    while (enrolled.length < clients) enrolled.push(await newUser(connection, port, enrolled.length))
    connection.close()
    return enrolled
  },
}

async function newUser(connection: Connection, port: number, index: number): Promise<Client> {
  const person = { name: `user ${index}`, email: `user${index}@bench.example`, password: 'a long passphrase' }
  const signedUp = await connection.request('POST', '/api/auth/sign-up/email', '', person)
  json(signedUp)
  const session = cookiesOf(signedUp.head)
  const begun = await connection.request('GET', '/api/auth/passkey/generate-register-options', session)
  const passkey = new Passkey('localhost', `http://localhost:${port}`)
  const response = passkey.registration(json(begun))
  const cookies = `${session}; ${cookiesOf(begun.head)}`
  json(await connection.request('POST', '/api/auth/passkey/verify-registration', cookies, { response }))
  return (each) => logIn(each, passkey)
}

async function logIn(connection: Connection, passkey: Passkey): Promise<void> {
  const begun = await connection.request('GET', '/api/auth/passkey/generate-authenticate-options')
  const { challenge } = json<{ challenge: string }>(begun)
  const body = { response: passkey.assertion(challenge) }
  const cookie = cookiesOf(begun.head)
  const finished = await connection.request('POST', '/api/auth/passkey/verify-authentication', cookie, body)
  json(finished)
  if (!finished.head.includes('better-auth.session_token=')) throw new Error('no session cookie')
}
