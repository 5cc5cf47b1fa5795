import { expect, test } from 'vitest'
import { addPasskey, login, loginBody, registerFirst, removePasskey } from '../client.ts'
import { newEdge, type TestEdge } from '../edge.ts'
import { acceptBody, addUser, newAdmin, newInvitation, tapFor } from '../people.ts'
import { approve, askOf, parametersAt } from '../program.ts'

test('no cookie, ticket, link secret or key gets into the audit table, the database or the log', async () => {
  const edge = await newEdge()
  const secrets: string[] = [Buffer.from(new Uint8Array(32).fill(7)).toString('base64url')]
  const [passkey, second] = [await edge.authenticator(), await edge.authenticator()]
  const visitor = edge.visitor()
  const keep = () => secrets.push(...[...visitor.cookies.values()].flatMap((value) => value.split('.').slice(-1)))
  const secret = await edge.offer()
  secrets.push(secret)
  await registerFirst(visitor, secret, passkey)
  keep()
  await addPasskey(visitor, passkey, second)
  keep()
  await removePasskey(visitor, passkey, second.credentialId)
  keep()
  const body = await loginBody(visitor, passkey)
  secrets.push(body.ticket.split('.')[1] ?? '')
  await visitor.post('/v1/login/finish', body)
  keep()
  await visitor.post('/v1/login/finish', body)
  await login(edge.visitor(), passkey, { badSignature: true })
  await visitor.get(`/?next=/account&secret=${secret}`)
  await visitor.post('/v1/logout', {})

  const written = everythingIn(edge)
  expect(secrets.length).toBeGreaterThan(6)
  for (const one of secrets) {
    expect(one.length).toBeGreaterThan(20)
    expect(written.includes(one)).toBe(false)
  }
})

test('no code, token, proof, tap or invite’s private half gets into any table or the log', async () => {
  const ada = await newAdmin()
  const { edge, visitor, passkey, program } = ada
  const asked = askOf(program.key)
  const approved = (await approve(visitor, passkey, asked)).json
  const code = parametersAt(approved.location).get('code') ?? ''
  const proof = await program.proof('POST', '/oauth/token')
  const tokens = (await program.sendToken(program.codeForm(code, asked), proof)).json
  const { key, body } = await newInvitation('Bob')
  const { d = '' } = await crypto.subtle.exportKey('jwk', key.privateKey)
  const tap = await tapFor(ada, body)
  const invited = await addUser(ada, body, tap)
  const { ticket } = JSON.parse(Buffer.from(tap, 'base64url').toString())
  const refreshed = (await program.refresh(ada.refreshToken)).json
  const bob = edge.visitor()
  const accepted = await acceptBody(bob, await edge.authenticator(), { id: invited.json.invite, key })
  await bob.post('/v1/invites/finish', accepted)
  // And what is refused, by those who have it wrong or a second time.
  await program.token(program.codeForm(code, asked))
  await program.sendToken(program.codeForm(code, asked), proof)
  await addUser(ada, body, tap)
  await bob.post('/v1/invites/finish', accepted)
  const thief = await edge.program()
  for (const token of [tokens.access_token, refreshed.access_token]) await thief.call('GET', '/v1/me', token)
  await thief.refresh(refreshed.refresh_token)
  await visitor.get(`/oauth/authorize?${new URLSearchParams({ ...asked.parameters, client_id: code })}`)
  await visitor.get(`/invite?key=${d}`)

  const secrets = [code, asked.verifier, proof, tap, ticket, d, accepted.ticket, tokens.id_token]
  for (const all of [tokens, refreshed]) secrets.push(all.access_token, all.refresh_token)
  secrets.push(ada.token, ada.refreshToken)
  const seals = secrets.map((secret) => secret.split('.').at(-1) ?? '')
  const written = everythingIn(edge)
  expect(written).toContain(invited.json.invite)
  for (const one of [...secrets, ...seals]) {
    expect(one.length).toBeGreaterThan(20)
    expect(written.includes(one)).toBe(false)
  }
})

/** All tables, whatever they are called, and the log. */
function everythingIn({ rows, logged }: TestEdge): string {
  const tables = rows("select name from sqlite_master where type = 'table'").map(({ name }) => String(name))
  return JSON.stringify([logged, ...tables.map((table) => rows(`select * from "${table}"`))])
}

test('every ceremony and every refusal has its audit row, under the request id of its log line', async () => {
  const edge = await newEdge()
  const passkey = await edge.authenticator()
  const visitor = edge.visitor()
  await registerFirst(visitor, await edge.offer(), passkey)
  await login(visitor, passkey)
  await login(visitor, passkey, { badSignature: true })
  await visitor.post('/v1/logout', {}, { origin: 'https://evil.example' })
  await visitor.post('/v1/logout', {})
  const rows = edge.rows(
    "select kind, outcome, code, request_id, user_id is not null as known from audit where kind <> 'administrator.offer'",
  )
  expect(rows.map(({ kind, outcome, code, known }) => [kind, outcome, code, known])).toEqual([
    ['administrator.register', 'done', null, 1],
    ['login', 'done', null, 1],
    ['login', 'refused', 'assertion_wrong', 0],
    ['request', 'refused', 'wrong_origin', 0],
    ['logout', 'done', null, 1],
  ])
  const ids = new Set(edge.logged.map((line) => line.request_id))
  for (const row of rows) expect(ids.has(String(row['request_id']))).toBe(true)
})
