/** The hellos of the clients on this machine, as they send them today: caught on loopback, then cut and padded. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import process from 'node:process'
import { type ConnectionOptions, connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { helloReader, parseHello } from '../../../core/route/hello.ts'
import { parsePostgres, postgresTls } from '../../../core/route/postgres.ts'
import { messageIn, pieces, records, withExtension } from '../hello-writer.ts'

type Start = (port: number) => { end(): void }

const program =
  (name: string, args: (port: number) => readonly string[]): Start =>
  (port) => {
    const child = spawn(name, args(port), { stdio: 'ignore' })
    return { end: () => child.kill() }
  }

const node =
  (options: ConnectionOptions): Start =>
  (port) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
    socket.on('error', () => {})
    return { end: () => socket.destroy() }
  }

const openssl = (...more: readonly string[]) =>
  program('openssl', (port) => ['s_client', '-connect', `127.0.0.1:${port}`, ...more])
const curl = (name: string, ...more: readonly string[]) =>
  program('curl', (port) => ['-sk', ...more, '--resolve', `${name}:${port}:127.0.0.1`, `https://${name}:${port}/`])
const psql = (database: string) =>
  program('psql', (port) => [`host=127.0.0.1 port=${port} ${database}`, '-c', 'select 1'])

type Expected = { readonly sni: string | undefined; readonly alpn: readonly string[] }

/** Together more than a record of 512 bytes. */
const longNames = Array.from({ length: 12 }, (_, at) => `${'protocol-'.repeat(8)}${at}`)

const clients: readonly (readonly [string, string, Start, Expected])[] = [
  [
    'node',
    'Node',
    node({ servername: 'a.test', ALPNProtocols: ['h2', 'http/1.1'] }),
    { sni: 'a.test', alpn: ['h2', 'http/1.1'] },
  ],
  ['node', 'Node, upper case and a dot', node({ servername: 'UPPER.Example.' }), { sni: 'upper.example', alpn: [] }],
  ['node', 'Node without a name', node({}), { sni: undefined, alpn: [] }],
  ['node', 'Node with TLS 1.2', node({ servername: 'a.test', maxVersion: 'TLSv1.2' }), { sni: 'a.test', alpn: [] }],
  [
    'openssl',
    'openssl',
    openssl('-servername', 'a.test', '-alpn', 'sallyport-ssh,h2'),
    { sni: 'a.test', alpn: ['sallyport-ssh', 'h2'] },
  ],
  ['openssl', 'openssl without a name', openssl('-noservername'), { sni: undefined, alpn: [] }],
  [
    'openssl',
    'openssl in small records',
    openssl('-servername', 'a.test', '-max_send_frag', '512', '-alpn', longNames.join(',')),
    { sni: 'a.test', alpn: longNames },
  ],
  ['curl', 'curl', curl('a.test', '--http1.1'), { sni: 'a.test', alpn: ['http/1.1'] }],
  ['psql', 'psql', psql('sslmode=require'), { sni: undefined, alpn: [] }],
]

const isHere = (name: string) => name === 'node' || spawnSync(name, ['--version']).error === undefined

/** What the client sends until its hello is whole; the answer to Postgres's SSLRequest is given first. */
async function caught(start: Start): Promise<Uint8Array> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = start((server.address() as AddressInfo).port)
  const [socket] = (await once(server, 'connection')) as [Socket]
  socket.on('error', () => {})
  try {
    return await firstFlight(socket)
  } finally {
    socket.destroy()
    client.end()
    server.close()
  }
}

async function firstFlight(socket: Socket): Promise<Uint8Array> {
  let bytes = new Uint8Array()
  for await (const piece of socket as AsyncIterable<Buffer>) {
    bytes = new Uint8Array(Buffer.concat([bytes, piece]))
    const request = bytes[0] === 0 ? parsePostgres(bytes) : undefined
    if (request?.kind === 'value') {
      expect(request).toEqual({ kind: 'value', value: { kind: 'ssl' }, used: bytes.length })
      socket.write(postgresTls)
      bytes = new Uint8Array()
    } else if (parseHello(bytes).kind !== 'more') break
  }
  return bytes
}

describe('live hellos', () => {
  test.for(clients)('%s: %s', { timeout: 20_000 }, async ([name, , start, expected], context) => {
    if (!isHere(name)) return context.skip(`no ${name} on this machine`)
    const wire = await caught(start)
    const uncut = parseHello(wire)
    expect(uncut).toMatchObject({ kind: 'value', value: expected, used: wire.length })
    expectSame(wire, expected)
  })

  test('Node’s is post-quantum, as those of OpenSSL 3.5 are', async (context) => {
    if (/^3\.[0-4]\./.test(process.versions.openssl)) return context.skip('Node has an OpenSSL before 3.5')
    const parsed = parseHello(await caught(node({ servername: 'a.test' })))
    expect(parsed).toMatchObject({
      value: {
        keyShares: [
          { group: 0x11ec, bytes: 1216 },
          { group: 29, bytes: 32 },
        ],
      },
    })
  })
})

/** In records of any size that the limit allows, in writes that end everywhere in them, and as large as hellos may become. */
function expectSame(wire: Uint8Array, expected: Expected): void {
  const whole = messageIn(wire)
  for (let size = Math.ceil(whole.length / 64); size <= whole.length; size += 1 + (size >> 3)) {
    const cut = records(whole, size)
    expect(parseHello(cut)).toMatchObject({ kind: 'value', value: expected, used: cut.length })
    for (const write of [1, 2, 3, 5, size, size + 5, size + 6]) {
      const reader = helloReader()
      const answers = pieces(cut, write).map((piece) => reader.push(piece))
      expect(answers.at(-1)).toEqual(parseHello(cut))
    }
  }
  const padded = withExtension(whole, [0xfafb, new Uint8Array(14_000)])
  expect(parseHello(records(padded, 1_000))).toMatchObject({ kind: 'value', value: expected })
}

test('openssl’s small records are several', async (context) => {
  if (!isHere('openssl')) return context.skip('no openssl on this machine')
  const parsed = parseHello(await caught(openssl('-max_send_frag', '512', '-alpn', longNames.join(','))))
  expect(parsed).toMatchObject({ kind: 'value', value: { records: 3 } })
})
