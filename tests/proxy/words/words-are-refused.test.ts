/** What does not open by a word: each gets its answer and is closed, and outsiders learn nothing of which check failed. */
import { expect, test } from 'vitest'
import type { RoleDocument } from '../../../core/access/role.ts'
import { makeBearers } from '../../../proxy/bearers.ts'
import { dial, needs, until } from '../proxy.ts'
import { askOf, put, roleFor, samples, startEcho } from '../sessions/kinds.ts'
import { eventsOf, grantFor, nameOf, type World } from '../sessions/world.ts'
import { allow, answerIn, askForWord, basic, connectHead, connecting, established, wordOf, wordWorld } from './words.ts'

async function refusalOf(world: World, fields: readonly string[], how: Parameters<typeof connecting>[2] = {}) {
  const wire = await connecting(world.proxy, fields, how)
  await wire.closed
  return answerIn(wire.said())
}

const whyIn = (world: World) => eventsOf(world.edge).map(({ detail }) => /word_\w+/.exec(String(detail))?.[0])

test.each([
  ['none', []],
  ['another scheme', ['Proxy-Authorization: Digest username="any"']],
  ['no base64', ['Proxy-Authorization: Basic &&&']],
  ['no colon', [`Proxy-Authorization: Basic ${Buffer.from('word').toString('base64')}`]],
])('with %s there is a challenge, and nothing further is read', async (_, fields) => {
  const world = await wordWorld()
  const { status, error, fields: head } = await refusalOf(world, fields)
  expect({ status, error }).toEqual({ status: 407, error: 'proxy_credential_missing' })
  expect(head).toContain('\r\nProxy-Authenticate: Basic realm="sallyport"')
  expect(head).toContain('\r\nConnection: close')
  expect(world.upstream.connections).toEqual([])
})

const word43 = 'A'.repeat(43)

test.each<[string, string]>([
  ['no port', 'CONNECT wiki HTTP/1.1\r\nHost: wiki\r\n\r\n'],
  ['port 0', 'CONNECT wiki:0 HTTP/1.1\r\nHost: wiki:0\r\n\r\n'],
  ['a user', 'CONNECT a@wiki:443 HTTP/1.1\r\nHost: wiki:443\r\n\r\n'],
  ['a path', 'CONNECT /wiki:443 HTTP/1.1\r\nHost: wiki:443\r\n\r\n'],
  ['another Host', 'CONNECT wiki:443 HTTP/1.1\r\nHost: pg-1:443\r\n\r\n'],
  ['no Host', 'CONNECT wiki:443 HTTP/1.1\r\n\r\n'],
  ['two credentials', connectHead([basic(word43), basic(word43)])],
  ['a body', connectHead([basic(word43), 'Content-Length: 1'])],
  ['a coding', connectHead([basic(word43), 'Transfer-Encoding: chunked'])],
  ['a bare line feed', connectHead([basic(word43)]).replaceAll('\r', '')],
  ['a folded field', connectHead(['A: b', ' c'])],
  ['a space before the colon', connectHead(['Proxy-Authorization : Basic x'])],
  ['HTTP/2.0 in words', connectHead([]).replace('HTTP/1.1', 'HTTP/2.0')],
  ['another method that begins so', 'COPY / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
])('%s is 400', async (_, bytes) => {
  const world = await wordWorld()
  const wire = await dial(world.proxy)
  wire.socket.write(bytes)
  await wire.closed
  expect(answerIn(wire.said())).toMatchObject({ status: 400, error: 'bad_request' })
  expect(wire.said()).toContain('\r\nConnection: close')
  await expect.poll(world.proxy.codes).toContain('head_malformed')
})

test('one that this proxy never gave is a stranger’s: told to nobody but the log and its counts', async () => {
  const world = await wordWorld()
  const { status, error } = await refusalOf(world, [basic(word43)])
  expect({ status, error }).toEqual({ status: 403, error: 'grant_invalid' })
  expect(world.proxy.metrics()).toContain('message="proxy request",code="grant_invalid"')
  // What comes after it has come by the same way.
  await refusalOf(world, [basic(await wordOf(world))], { target: 'other:443' })
  await until(() => eventsOf(world.edge).length > 0)
  expect(whyIn(world)).toEqual(['word_of_another_resource'])
})

test('too late it is refused, and its owner’s log says so', async () => {
  const world = await wordWorld()
  const word = await wordOf(world)
  world.edge.advance(61_000)
  await world.proxy.serving.trust.ask()
  expect(await refusalOf(world, [basic(word)])).toMatchObject({ status: 403, error: 'grant_invalid' })
  await until(() => eventsOf(world.edge).length > 0)
  expect(whyIn(world)).toEqual(['word_expired'])
})

test('for another resource it is refused, and used up; shown again it is told once more, and then no more', async () => {
  const world = await wordWorld()
  await put(world, samples.app.document((await startEcho()).uri, 'wiki-2'))
  await world.proxy.serving.trust.ask()
  const word = await wordOf(world)
  for (const target of ['wiki-2:443', 'wiki:443', 'wiki:443'])
    expect(await refusalOf(world, [basic(word)], { target })).toMatchObject({ status: 403, error: 'grant_invalid' })
  await until(() => eventsOf(world.edge).length === 2)
  expect(whyIn(world)).toEqual(['word_of_another_resource', 'word_used'])
  expect(world.upstream.connections).toEqual([])
})

test.each([
  ['db', 'tunnel', 'password'],
  ['app', 'password', 'tunnel'],
] as const)('the word of a resource of kind %s is none in a %s’s place', (kind, wrong, right) => {
  const bearers = makeBearers(needs)
  const grant = { subject: { resource: { kind, name: 'x' } } } as never
  const issue = () => bearers.issue({ grant, key: 'k' as never, use: 1, address: 'a' })
  const showed = { target: 'x', address: 'a' }
  expect(bearers.take(issue(), { ...showed, place: wrong })?.fault).toBe('word_of_another_place')
  expect(bearers.take(issue(), { ...showed, place: right })?.fault).toBeUndefined()
})

test('a database’s password opens no tunnel', async () => {
  const world = await wordWorld()
  const role = roleFor(
    { db_labels: { env: ['dev'] }, db_users: ['reader'], db_names: ['orders'] },
    false,
  ) as RoleDocument
  await put(world, { ...role, spec: { ...role.spec, options: { bearer_grants: true } } })
  await world.proxy.serving.trust.ask()
  const word = await wordOf(world, {
    resource: { kind: 'db', name: 'pg-1' },
    principal: { db_user: 'reader', db_name: 'orders' },
    proxy: nameOf(world.proxy),
  })
  expect(await refusalOf(world, [basic(word)], { target: 'pg-1:443' })).toMatchObject({ status: 403 })
  await until(() => eventsOf(world.edge).length > 0)
  expect(whyIn(world)).toEqual(['word_of_another_place'])
  expect(world.database.connections).toEqual([])
})

test('where no role has it there is none; and it is decided again when it is used', async () => {
  const world = await wordWorld({ role: { bearer_grants: false } })
  const grant = await grantFor(world, world.lea, askOf(world, 'app'))
  const answer = await askForWord(world, grant)
  expect(answer).toMatchObject({ status: 403, json: { error: 'access_denied' } })
  expect(answer.json['message']).toContain('bearer_grants')
  await allow(world, {})
  const word = await wordOf(world)
  await allow(world, { bearer_grants: false })
  expect(await refusalOf(world, [basic(word)])).toMatchObject({ status: 403, error: 'access_denied' })
  expect(world.upstream.connections).toEqual([])
})

test('a role that wants a tap wants it for a word too', async () => {
  const world = await wordWorld()
  const early = await grantFor(world, world.lea, askOf(world, 'app'))
  await allow(world, { require_session_mfa: true })
  expect(await askForWord(world, early)).toMatchObject({ status: 403, json: { error: 'tap_required' } })
  const wire = await connecting(world.proxy, [basic(await wordOf(world))])
  await until(() => wire.said() === established)
})

test('bytes before the answer end it, and nothing of them goes anywhere', async () => {
  const world = await wordWorld()
  const wire = await dial(world.proxy)
  wire.socket.write(`${connectHead([basic(await wordOf(world))])}early`)
  await wire.closed
  await expect.poll(world.proxy.codes).toContain('bytes_too_early')
  expect(world.upstream.connections.map(({ said }) => said()).join('')).toBe('')
})

test('behind another request it is told to come first', async () => {
  const world = await wordWorld()
  const wire = await dial(world.proxy)
  wire.socket.write('GET /.well-known/sallyport HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await until(() => wire.said().endsWith('}'))
  wire.socket.write(connectHead([basic(await wordOf(world))]))
  await wire.closed
  expect(wire.said()).toContain('HTTP/1.1 400 ')
  await expect.poll(world.proxy.codes).toContain('connect_too_late')
})
