/** What a program gets that waits for a tap, and what its user may answer besides yes. */
import { expect, test } from 'vitest'
import { changesHash } from '../../core/access/difference.ts'
import type { AdminSubject, Json } from '../../core/intent.ts'
import { fromBase64url, textOf } from '../../core/lib/bytes.ts'
import { inflate } from '../../core/lib/deflate.ts'
import { intentIn } from '../client.ts'
import { lastRefusal } from '../edge.ts'
import { askForTapOf, call, newAdmin, newPerson, putDocuments, tapOn } from '../people.ts'

const roleOf = (name: string, values: number): Json => ({
  kind: 'role',
  version: 'v7',
  metadata: { name },
  spec: {
    allow: { db_users: Array.from({ length: values }, (_, i) => (i < 3 ? `u${i}-${name}` : crypto.randomUUID())) },
  },
})

const asked = async (documents: Json[], ada: Awaited<ReturnType<typeof newAdmin>>) => {
  const { status, text, json } = await askForTapOf(ada, 'documentsPut', '/v1/documents', { documents, force: true })
  if (status !== 200) throw new Error(text)
  return { ...json, subject: intentIn(json.ticket).subject as AdminSubject }
}

test('the difference comes whole to the program, packed behind the # to the page, and by its hash into the ticket', async () => {
  const ada = await newAdmin()
  await putDocuments(ada, [roleOf('dev', 2)])
  const { changes, approve_url, subject } = await asked([roleOf('dev', 3), roleOf('ops', 1)], ada)
  expect(subject.summary).toBe('Create role/ops; replace role/dev')
  expect(changes).toContain('@ Replaced: role/dev')
  expect(changes).toContain('@ New: role/ops')
  expect(subject.changes).toBe(changesHash(changes))
  const packed = fromBase64url(new URL(approve_url).hash.slice('#changes='.length))
  const bytes = packed && (await inflate(packed, 100_000))
  expect(bytes && textOf(bytes)).toBe(changes)
  expect(bytes && packed && (await inflate(packed, bytes.length - 1))).toBeUndefined()
})

test('a hundred documents: a small ticket, a small header, and where the page cannot show it the number of lines', async () => {
  const ada = await newAdmin()
  const many = Array.from({ length: 100 }, (_, i) => roleOf(`role-${i}-with-quite-a-long-name-that-somebody-chose`, 25))
  const { changes, ticket, approve_url, subject } = await asked(many, ada)
  expect(subject.unshown_lines).toBe(changes.split('\n').length)
  expect(new URL(approve_url).hash).toBe('')
  expect(approve_url.length).toBeLessThan(4096)
  expect((await tapOn(ada, ticket)).length).toBeLessThan(4096)
})

test('what changes nothing asks for nothing', async () => {
  const ada = await newAdmin()
  await putDocuments(ada, [roleOf('dev', 2)])
  const body = { documents: [roleOf('dev', 2)], force: true }
  expect((await askForTapOf(ada, 'documentsPut', '/v1/documents', body)).json).toEqual({ tap: false })
})

test('"this was not me" ends the login of the program that asked, and no other; no tap of it does anything then', async () => {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob')
  const { ticket } = await asked([roleOf('dev', 2)], ada)
  expect((await bob.visitor.post('/v1/taps/disown', { ticket })).status).toBe(401)
  expect(lastRefusal(ada.edge)).toBe('wrong_user')
  expect((await ada.edge.visitor().post('/v1/taps/disown', { ticket })).status).toBe(401)
  expect((await call(ada, 'GET', '/v1/me')).status).toBe(200)
  expect(await ada.visitor.post('/v1/taps/disown', { ticket })).toMatchObject({
    status: 200,
    json: { location: '/account' },
  })
  expect((await call(ada, 'GET', '/v1/me')).status).toBe(401)
  expect((await ada.program.refresh(ada.refreshToken)).json.error_description).toMatch(/not you who asked/)
  expect((await call(bob, 'GET', '/v1/me')).status).toBe(200)
  expect((await ada.visitor.get('/account')).status).toBe(200)
  const [row] = ada.edge.rows("select detail from audit where kind = 'tap.disown' and outcome = 'done'")
  expect(JSON.parse(String(row?.['detail']))).toMatchObject({ summary: 'Create the role dev' })
})
