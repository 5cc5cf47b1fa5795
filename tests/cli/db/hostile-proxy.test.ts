/** What a proxy that is broken, or somebody else's, gets from the command: an error that says what is wrong, and no grant. */
import type { TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { issuer, newFront, signedIn } from '../tls-edge.ts'
import { dial, reader, startup } from './wire.ts'

const resources = [{ kind: 'db', name: 'orders', labels: {}, protocol: 'postgres', allowed: {}, tap: false }]
const answer = (json: unknown, status = '200 OK', more = '') => {
  const text = JSON.stringify(json)
  return `HTTP/1.1 ${status}\r\nContent-Length: ${text.length}\r\n\r\n${text}${more}`
}
const id = 'k'.repeat(43)

/** What the client of the local proxy reads when the proxy answers its first request so. */
async function saidWhere(take: (socket: TLSSocket) => void) {
  const front = await newFront(take)
  front.interfere = (_, path) => (path === '/v1/resources' ? { json: { resources } } : undefined)
  const cli = await signedIn(front)
  const running = cli.start(['proxy', 'db', 'orders', '--no-browser'])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
  const wire = dial(Number(port))
  wire.send(startup(reader))
  await wire.ended
  return { said: wire.said(), asked: front.received.map(({ path }) => path) }
}

const replies: [what: string, reply: string, said: string][] = [
  [
    'another issuer',
    answer({ issuer: 'http://localhost:1', id, boot: id }),
    'the proxy names another issuer than at the login',
  ],
  ['no id', answer({ issuer, methods: ['tls'] }), 'the proxy does not say who it is'],
  ['no JSON', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{]', 'the proxy does not say who it is'],
  ['more than one answer', answer({ issuer, id, boot: id }, '200 OK', answer({})), '(more follows behind it)'],
  ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', '(it is no answer of HTTP/1.1)'],
  ['401', answer({ error: 'invalid_token', message: 'Sign in.' }, '401 No'), 'invalid token (status 401). Sign in.'],
  ['a refusal without a reason', answer({}, '403 No'), 'no reason (status 403). Try again'],
]

test.each(replies)('%s: no session is asked for, and the client reads why', async (_, reply, wanted) => {
  const { said, asked } = await saidWhere((socket) => void socket.once('data', () => socket.write(reply)))
  expect(said).toContain(wanted)
  expect(asked).not.toContain('/v1/sessions')
})

test.each([
  ['ends the connection', (socket: TLSSocket) => void socket.once('data', () => socket.end())],
  ['breaks it off', (socket: TLSSocket) => void socket.once('data', () => socket.destroy())],
])('a proxy that %s', async (_, take) => {
  expect((await saidWhere(take)).said).toContain(
    '\0C08006\0Msallyport cannot open orders: the proxy ended the connection',
  )
})

test('a proxy that is none of this edge: the edge refuses, psql says so, and no page is shown', async () => {
  const front = await newFront(
    (socket) => void socket.once('data', () => socket.write(answer({ issuer, id, boot: id }))),
  )
  front.interfere = (_, path) => (path === '/v1/resources' ? { json: { resources } } : undefined)
  const cli = await signedIn(front)
  const running = cli.start([
    'db',
    'connect',
    'orders',
    '--db-user=reader',
    '--db-name=app',
    '--no-browser',
    '--',
    '-w',
  ])
  const { code, stderr } = await running.ended
  expect(stderr).toContain('invalid target (status 400')
  expect(stderr).not.toMatch(/open this page/)
  expect(code).toBe(2)
})

test('a page that the edge names elsewhere is not opened', async () => {
  const front = await newFront(
    (socket) => void socket.once('data', () => socket.write(answer({ issuer, id, boot: id }))),
  )
  const begun = { tap: true, ticket: 'x', approve_url: 'https://evil.example/approve' }
  front.interfere = (_, path) =>
    path === '/v1/resources' ? { json: { resources } } : path === '/v1/sessions' ? { json: begun } : undefined
  const cli = await signedIn(front)
  const running = cli.start(['proxy', 'db', 'orders'])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
  const wire = dial(Number(port))
  wire.send(startup(reader))
  await wire.ended
  expect(wire.said()).toContain('the edge names a page of somebody else')
})
