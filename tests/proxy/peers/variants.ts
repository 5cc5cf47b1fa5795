/** One hello of a real client for `a.test`, cut, padded and spoiled in each way that a proxy must read or refuse. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { connect } from 'node:tls'
import {
  alpn,
  bytesOf,
  bytesOfHex,
  type Extension,
  join,
  message,
  messageIn,
  padding,
  pieces,
  record,
  records,
  sni,
  versions,
  withExtension,
} from '../../core/hello-writer.ts'

export interface Variant {
  readonly what: string
  /** As the client writes them, one after the other. */
  readonly writes: readonly Uint8Array[]
  /** What ours does: A's backend, D's, or nothing but this code in the log. */
  readonly ours: 'A' | 'D' | { readonly code: string; readonly answer?: string }
  /** The limits of all are raised to 64 KiB. */
  readonly raised?: true
}

const mostRecords = 64

/** What Node, the OpenSSL in it that is, writes first. */
async function realHello(servername: string): Promise<Uint8Array> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1', servername })
  client.on('error', () => undefined)
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [first] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return messageIn(first)
}

/** Padded so that the whole message has this length. */
function padded(hello: Uint8Array, length: number): Uint8Array {
  const header = 4
  return withExtension(hello, padding(length - hello.length - header))
}

const cutAt = (hello: Uint8Array, at: number) => join(record(hello.subarray(0, at)), record(hello.subarray(at)))

/** In exactly so many records. */
function inRecords(hello: Uint8Array, count: number): Uint8Array {
  const ones = pieces(hello.subarray(0, count - 1), 1).map((piece) => record(piece))
  return join(...ones, record(hello.subarray(count - 1)))
}

const spoiled = (...extensions: readonly Extension[]) => [records(message(...extensions, versions(0x0304)))]

export async function makeVariants(): Promise<readonly Variant[]> {
  const hello = await realHello('a.test')
  return [...(await sound(hello)), ...(await unsound(hello))]
}

async function sound(hello: Uint8Array): Promise<Variant[]> {
  const ours = 'A'
  const dribble = pieces(records(hello), 1)
  return [
    { what: 'whole', writes: [records(hello)], ours },
    { what: 'in 2 records, cut at 100 B', writes: [cutAt(hello, 100)], ours },
    { what: 'in 2 records, cut at 3 B', writes: [cutAt(hello, 3)], ours },
    { what: 'in records of 32 B', writes: [records(hello, 32)], ours },
    { what: `in ${mostRecords} records`, writes: [inRecords(hello, mostRecords)], ours },
    { what: 'in writes of 1 B', writes: dribble, ours },
    { what: 'in 2 records and writes of 1 B', writes: pieces(cutAt(hello, 3), 1), ours },
    { what: 'for `A.TEST`', writes: [records(await realHello('A.TEST'))], ours },
    { what: 'for `a.test.`', writes: [records(await realHello('a.test.'))], ours },
    ...[4200, 12_000, 16_379, 16_384].map(
      (length) =>
        ({
          what: `of ${length.toLocaleString('en')} B in one record`,
          writes: [records(padded(hello, length))],
          ours,
        }) as const,
    ),
    { what: 'of 20,000 B in 2 records, limits raised', writes: [records(padded(hello, 20_000))], ours, raised: true },
    {
      what: 'for another name, where a rule takes every name',
      writes: [records(await realHello('b.test'))],
      ours: 'D',
    },
  ]
}

async function unsound(hello: Uint8Array): Promise<Variant[]> {
  const refused = (code: string, answer = '') => ({ code, answer })
  return [
    { what: 'of 20,000 B in 2 records', writes: [records(padded(hello, 20_000))], ours: refused('hello_too_large') },
    {
      what: `in ${mostRecords + 1} records`,
      writes: [inRecords(hello, mostRecords + 1)],
      ours: refused('hello_too_many_records'),
    },
    { what: 'in records of 1 B', writes: [records(hello, 1)], ours: refused('hello_too_many_records') },
    {
      what: 'with the extension server_name twice, a.test and d.test',
      writes: [records(withExtension(hello, sni('d.test')))],
      ours: refused('extension_twice'),
    },
    {
      what: 'with two host_names, a.test and d.test',
      writes: spoiled(sni('a.test', 'd.test')),
      ours: refused('sni_twice'),
    },
    { what: 'for `a.test\\0.d.test`', writes: spoiled(sni('a.test\0.d.test')), ours: refused('sni_malformed') },
    {
      what: 'with an ALPN name of no length',
      writes: spoiled(sni('a.test'), alpn('', 'h2')),
      ours: refused('alpn_empty_name'),
    },
    {
      what: 'with an alert between its records',
      writes: [join(record(hello.subarray(0, 100)), bytesOfHex('1503010002022f'), record(hello.subarray(100)))],
      ours: refused('record_interleaved'),
    },
    {
      what: 'the header of a record of 65,535 B, and silence',
      writes: [bytesOfHex('160301ffff')],
      ours: refused('record_too_large'),
    },
    {
      what: 'no TLS: `GET / HTTP/1.1`',
      writes: [bytesOf('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')],
      ours: refused('plain_http'),
    },
  ]
}
