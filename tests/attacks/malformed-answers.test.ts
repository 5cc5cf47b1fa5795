import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { base64url } from '../../core/lib/bytes.ts'
import { addBody, loginBody } from '../client.ts'
import { newAdministrator, newEdge } from '../edge.ts'

const runs = { numRuns: 150, seed: 7 }
/** What stands for any member of an answer: other types, other bytes, nearly right text. */
const hostile = fc.oneof(
  fc.json().map((text) => JSON.parse(text) as Json),
  fc.uint8Array({ maxLength: 400 }).map((bytes) => base64url(bytes)),
  fc.string({ maxLength: 400 }),
  fc.constantFrom('', 'null', '====', 'a b', '\u0000', 'oWNmbXRkbm9uZQ', '{}', '__proto__'),
)

const paths = (json: Json, path: string[] = []): string[][] =>
  typeof json === 'object' && json !== null
    ? Object.entries(json).flatMap(([name, value]) => [[...path, name], ...paths(value as Json, [...path, name])])
    : []

function replaced(json: Json, [name = '', ...rest]: string[], value: Json): Json {
  const object = json as Record<string, Json>
  return { ...object, [name]: rest.length === 0 ? value : replaced(object[name] as Json, rest, value) }
}

test('a login answer with any member replaced is refused, never an error of ours', async () => {
  const { edge, passkey } = await newAdministrator()
  const visitor = edge.visitor()
  const good = (await loginBody(visitor, passkey)) as unknown as Json
  const read = paths(good).filter(
    (path) => !/rawId|type|authenticatorAttachment|clientExtensionResults/.test(path.join('.')),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...read), hostile, async (path, value) => {
      const { status } = await visitor.post('/v1/login/finish', replaced(good, path, value))
      return [400, 401].includes(status)
    }),
    runs,
  )
  expect((await visitor.post('/v1/login/finish', good)).status).toBe(200)
})

test('a registration with any member replaced registers nothing', async () => {
  const edge = await newEdge()
  const visitor = edge.visitor()
  const passkey = await edge.authenticator()
  const secret = await edge.offer()
  const { ticket, options } = (await visitor.post('/v1/first-administrator/begin', { secret, name: 'Ada' })).json
  const good = { secret, ticket, registration: await passkey.create(options) } as unknown as Json
  const read = [['secret'], ['ticket'], ['registration'], ['registration', 'id'], ['registration', 'response']]
  for (const name of ['clientDataJSON', 'attestationObject']) read.push(['registration', 'response', name])
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...read), hostile, async (path, value) => {
      const { status } = await visitor.post('/v1/first-administrator/finish', replaced(good, path, value))
      return [400, 401, 410].includes(status)
    }),
    runs,
  )
  expect(edge.rows('select id from users')).toEqual([])
  expect((await visitor.post('/v1/first-administrator/finish', good)).status).toBe(200)
})

test('an addition with any member replaced adds nothing', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const good = (await addBody(visitor, passkey, await edge.authenticator())) as unknown as Json
  const read = paths(good).filter((path) => !/rawId|type|Attachment|Results|transports|userHandle/.test(path.join('.')))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...read), hostile, async (path, value) => {
      const { status } = await visitor.post('/v1/passkeys/finish', replaced(good, path, value))
      return [400, 401].includes(status)
    }),
    runs,
  )
  expect(edge.rows('select id from credentials')).toHaveLength(1)
  expect((await visitor.post('/v1/passkeys/finish', good)).status).toBe(200)
})

test('bytes that are no JSON are a bad request', async () => {
  const { visitor } = await newAdministrator()
  const headers = { origin: visitor.origin, 'content-type': 'application/json' }
  for (const text of ['', '{', 'nul', '[1', '"\ud800', '\u0000', `${'['.repeat(50_000)}`]) {
    expect((await visitor.request('POST', '/v1/login/begin', text, headers)).status).toBe(400)
  }
})
