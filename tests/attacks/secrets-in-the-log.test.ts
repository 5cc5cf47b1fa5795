import { expect, test } from 'vitest'
import { addPasskey, login, loginBody, registerFirst, removePasskey } from '../client.ts'
import { newEdge } from '../edge.ts'

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

  const tables = ['audit', 'sessions', 'credentials', 'users', 'spent', 'administrator_link', 'cluster', 'guards']
  const written = JSON.stringify([edge.logged, ...tables.map((table) => edge.rows(`select * from ${table}`))])
  expect(secrets.length).toBeGreaterThan(6)
  for (const one of secrets) {
    expect(one.length).toBeGreaterThan(20)
    expect(written.includes(one)).toBe(false)
  }
})

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
