/** What a client may say before its session, on raw sockets. */
import { expect, onTestFinished, test } from 'vitest'
import type { DbPrincipal } from '../../../core/access/resource.ts'
import { concat, utf8 } from '../../../core/lib/bytes.ts'
import { listenForPostgres, type Opened } from '../../../proxy/local.ts'
import { cancelRequest, dial, gssencRequest, message, reader, sslRequest, startup } from './wire.ts'

const no: Opened = { kind: 'refused', state: 'invalidAuthorization', message: 'Not today.' }

async function local(open: (principal: DbPrincipal, gone: AbortSignal) => Promise<Opened> = async () => no) {
  const asked: DbPrincipal[] = []
  const told: string[] = []
  const proxy = await listenForPostgres(0, {
    open: (principal, gone) => {
      asked.push(principal)
      return open(principal, gone)
    },
    tell: (line) => told.push(line),
  })
  onTestFinished(() => proxy.close())
  return { ...proxy, asked, told }
}

test.each([
  ['nothing', [], ''],
  ['SSLRequest', [sslRequest], 'N'],
  ['GSSENCRequest', [gssencRequest], 'N'],
  ['both', [gssencRequest, sslRequest], 'NN'],
  ['both the other way round', [sslRequest, gssencRequest], 'NN'],
])(
  'after %s the StartupMessage asks for the session, and a refusal is an error of Postgres',
  async (_, before, said) => {
    const proxy = await local()
    const wire = dial(proxy.port)
    for (const [at, one] of before.entries()) {
      wire.send(one)
      await expect.poll(wire.said).toBe('N'.repeat(at + 1))
    }
    wire.send(startup({ ...reader, application_name: 'test' }))
    expect(await wire.ended).toBe('end')
    expect(wire.said()).toMatch(new RegExp(`^${said}E[^]{4}SFATAL\\0VFATAL\\0C28000\\0MNot today\\.\\0\\0$`))
    expect(proxy.asked).toEqual([{ db_user: 'reader', db_name: 'app' }])
  },
)

test('a message that comes byte by byte is the same message; without a database it is the user’s', async () => {
  const proxy = await local()
  const wire = dial(proxy.port)
  wire.socket.setNoDelay(true)
  for (const byte of startup({ user: 'reader' })) {
    wire.send(new Uint8Array([byte]))
    await new Promise((next) => setTimeout(next, 1))
  }
  expect(await wire.ended).toBe('end')
  expect(proxy.asked).toEqual([{ db_user: 'reader', db_name: 'reader' }])
})

const silent: [what: string, parts: Uint8Array[], why: string][] = [
  [
    'a StartupMessage stuffed behind SSLRequest',
    [concat(sslRequest, startup(reader))],
    'bytes behind the request for ssl',
  ],
  ['one byte stuffed behind GSSENCRequest', [concat(gssencRequest, utf8('x'))], 'bytes behind the request for gssenc'],
  ['SSLRequest twice', [sslRequest, sslRequest], 'ssl was asked for twice'],
  ['GSSENCRequest twice', [gssencRequest, gssencRequest], 'gssenc was asked for twice'],
  ['a request of HTTP', [utf8('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')], 'postgres_length'],
  ['a ClientHello', [new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])], 'postgres_length'],
  ['a length of zero', [new Uint8Array(8)], 'postgres_length'],
  ['more than 10000 bytes', [startup({ ...reader, options: 'x'.repeat(10_000) })], 'postgres_length'],
  ['a message that does not end', [message(new Uint8Array([0, 3, 0, 0]), utf8('user\0reader'))], 'postgres_malformed'],
  ['CancelRequest', [cancelRequest], 'a query cannot be cancelled through the local proxy'],
  [
    'CancelRequest after SSLRequest',
    [sslRequest, cancelRequest],
    'a query cannot be cancelled through the local proxy',
  ],
]

test.each(silent)('%s: closed, nothing is said, nobody is asked', async (_, parts, why) => {
  const proxy = await local()
  const wire = dial(proxy.port)
  for (const [at, one] of parts.entries()) {
    if (at > 0) await expect.poll(wire.said).toBe('N')
    wire.send(one)
  }
  await wire.ended
  expect(wire.said()).toBe(parts.length > 1 ? 'N' : '')
  expect(proxy.told).toEqual([`closed a connection: ${why}`])
  expect(proxy.asked).toEqual([])
})

test.each([
  ['no user', startup({ database: 'app' }), '08P01'],
  ['a name of 64 bytes', startup({ user: 'x'.repeat(64) }), '08P01'],
  ['a user twice', message(new Uint8Array([0, 3, 0, 0]), utf8('user\0a\0user\0b\0\0')), '08P01'],
  ['protocol 2', startup(reader, 0x20000), '0A000'],
])('%s: an error of Postgres says why', async (_, bytes, state) => {
  const proxy = await local()
  const wire = dial(proxy.port)
  wire.send(bytes)
  expect(await wire.ended).toBe('end')
  expect(wire.said()).toContain(`\0C${state}\0M`)
  expect(proxy.asked).toEqual([])
})

test('a client that says nothing is closed after ten seconds', async () => {
  const proxy = await local()
  const wire = dial(proxy.port)
  wire.send(startup(reader).subarray(0, 9))
  const since = Date.now()
  await wire.ended
  expect(Date.now() - since).toBeGreaterThan(9000)
  expect(proxy.told).toEqual(['closed a connection: the client said too little in ten seconds'])
})

test.each(['end', 'destroy'] as const)(
  'a client that goes away (%s) while the session is asked for: nobody waits',
  async (way) => {
    const { promise: gone, resolve } = Promise.withResolvers<void>()
    const proxy = await local(async (_, signal) => {
      signal.addEventListener('abort', () => resolve())
      await gone
      return no
    })
    const wire = dial(proxy.port)
    wire.send(startup(reader))
    await expect.poll(() => proxy.asked.length).toBe(1)
    wire.socket[way]()
    await gone
  },
)

test('a port that is in use is a problem that says what to do', async () => {
  const { port } = await local()
  await expect(listenForPostgres(port, { open: async () => no, tell: () => undefined })).rejects.toMatchObject({
    message: `port ${port} is in use`,
    hint: expect.stringContaining('--port'),
  })
})

test('close: nothing listens, and connections are over', async () => {
  const proxy = await local(() => new Promise(() => undefined))
  const wire = dial(proxy.port)
  wire.send(startup(reader))
  await expect.poll(() => proxy.asked.length).toBe(1)
  proxy.close()
  await wire.ended
  await expect(dial(proxy.port).ended).resolves.toBe('reset')
})
