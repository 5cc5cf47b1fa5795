/** What is no hello, or one that no rule takes, is closed: nothing is dialled, and each reason stands in log and metrics. */
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { helloLimits } from '../../../core/route/hello.ts'
import { compileTable } from '../../../core/route/table.ts'
import { Connection } from '../../../proxy/connection.ts'
import { makeFront } from '../../../proxy/front.ts'
import { plainListener } from '../../../proxy/listeners.ts'
import type { LogLine } from '../../../proxy/log.ts'
import {
  alpn,
  bytesOf,
  bytesOfHex,
  join,
  message,
  padding,
  pieces,
  record,
  records,
  sni,
  versions,
} from '../../core/hello-writer.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { connectTo, listening, routeOf, startRoutes } from './routes.ts'

const hello = message(sni('a.test'), versions(0x0304))
const sslRequest = bytesOfHex('0000000804d2162f')
const alert = (description: number) => `\x15\x03\x03\x00\x02\x02${String.fromCharCode(description)}`

const cases: [what: string, bytes: Uint8Array, code: string, answer?: string][] = [
  ['plain HTTP', bytesOf('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'), 'plain_http'],
  ['an SSH banner', bytesOf('SSH-2.0-OpenSSH_9.9\r\n'), 'plain_ssh'],
  ['a PROXY header', bytesOf('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n'), 'proxy_header'],
  ['a PROXY header of version 2', bytesOfHex('0d0a0d0a000d0a515549540a2000 0000'), 'proxy_header'],
  ['Postgres, a hello stuffed behind SSLRequest', join(sslRequest, records(hello)), 'postgres_early_bytes'],
  [
    'Postgres, a startup stuffed behind SSLRequest',
    join(sslRequest, bytesOfHex('0000000800030000')),
    'postgres_early_bytes',
  ],
  ['Postgres, a startup', bytesOfHex('0000000900030000 00'), 'plain_postgres'],
  ['SSLv2', bytesOfHex('802e010002001500000010'), 'sslv2'],
  ['SSLv2 that asks for 3.1', bytesOfHex('802e010301001500000010'), 'sslv2'],
  ['a record of another version', bytesOfHex('160201'), 'record_version'],
  ['a record too large', bytesOfHex('160301ffff'), 'record_too_large'],
  ['an empty record', bytesOfHex('1603010000'), 'record_empty'],
  ['another message', bytesOfHex('160301000402000000'), 'not_a_hello'],
  ['application data', bytesOfHex('170303000100'), 'not_tls'],
  ['an alert within the hello', join(record(hello.subarray(0, 9)), bytesOfHex('1503010002022f')), 'record_interleaved'],
  [
    'garbage behind its header',
    record(join(bytesOfHex('01000064'), new Uint8Array(100).fill(0xff))),
    'hello_malformed',
  ],
  ['a hello too large', records(message(sni('a.test'), padding(17_000))), 'hello_too_large'],
  ['too many records', records(hello, 1), 'hello_too_many_records'],
  ['bytes in the hello’s record', record(join(hello, bytesOf('x'))), 'hello_not_alone'],
  ['two names', records(message(sni('a.test', 'b.test'))), 'sni_twice'],
  ['an empty name', records(message(sni(''))), 'sni_empty'],
  ['a NUL in the name', records(message(sni('a.test\0'))), 'sni_malformed'],
  ['a name twice', records(message(sni('a.test'), sni('b.test'))), 'extension_twice'],
  ['an empty ALPN', records(message(sni('a.test'), alpn('', 'h2'))), 'alpn_empty_name'],
  ['an unknown name', records(message(sni('c.test'))), 'server_name_unknown', alert(112)],
  ['a name below a known one', records(message(sni('b.a.test'))), 'server_name_unknown', alert(112)],
  ['an unknown ALPN', records(message(sni('b.test'), alpn('x'))), 'application_protocol_unknown', alert(120)],
  ['no ALPN where one is wanted', records(message(sni('b.test'))), 'application_protocol_unknown', alert(120)],
]

async function guarded(more: Parameters<typeof startRoutes>[0] = []) {
  const service = await startService(() => undefined)
  const backends = [service.uri]
  const proxy = await startRoutes([{ backends }, { name: 'b', sni: ['b.test'], alpn: ['h2'], backends }, ...more])
  return { service, backends, proxy }
}

async function send({ port }: { readonly port: number }, parts: readonly Uint8Array[]): Promise<string> {
  const client = await connectTo({ port })
  client.socket.once('end', () => client.socket.end())
  for (const part of parts) {
    client.socket.write(part)
    await sleep(2)
  }
  await client.closed
  return client.said()
}

test.for(cases)('%s', async ([, bytes, code, answer = '']) => {
  const { service, proxy } = await guarded()
  expect(await send(proxy, [bytes])).toBe(answer)
  // What is refused before its last byte may be told by a reset instead, which the alert does not outrun.
  await send(proxy, pieces(bytes, Math.ceil(bytes.length / 7)))
  await expect.poll(proxy.codes).toEqual([code, code])
  expect(proxy.log).toMatchObject(Array(2).fill({ message: 'connection ended', address: '127.0.0.1' }))
  expect(proxy.metrics()).toContain(`sallyport_proxy_log_total{message="connection ended",code="${code}"} 2`)
  expect(service.connections).toEqual([])
})

test('the log says what was asked for, and no metric does', async () => {
  const { proxy } = await guarded()
  await send(proxy, [records(message(sni('C.test')))])
  await send(proxy, [records(message(sni('b.test'), alpn('x', '\x1b', 'y'.repeat(255))))])
  await expect.poll(() => proxy.log.length).toBe(2)
  expect(proxy.log.map(({ detail }) => detail)).toEqual(['c.test', `x,1b,${'y'.repeat(195)}…`])
  expect(proxy.metrics()).not.toMatch(/c\.test|yyy/)
})

test('no name, where the route for hellos without one wants an ALPN', async () => {
  const service = await startService(() => undefined)
  const proxy = await startRoutes([{ sni: [], noSni: true, alpn: ['x'], backends: [service.uri] }])
  expect(await send(proxy, [records(message())])).toBe(alert(120))
  await expect.poll(proxy.codes).toEqual(['application_protocol_unknown'])
})

test('no name, where no rule at all is for that: a table of ours has one, and the alert is another one', async () => {
  const log: LogLine[] = []
  const compiled = compileTable([{ ...routeOf({}), take: () => undefined }])
  if (compiled.kind === 'invalid') throw new Error('no table')
  const front = makeFront(plainListener([], 1), {
    table: () => compiled.value,
    withoutTls: () => new Map(),
    postgres: () => undefined,
    hello: helloLimits,
    isOurs: () => false,
    exposed: () => undefined,
  })
  const uri = await listening(
    createServer((raw) => front(new Connection(raw, '127.0.0.1', (line) => void log.push(line)))),
  )
  expect(await send({ port: Number(uri.split(':')[1]) }, [records(message())])).toBe(alert(109))
  expect(log).toMatchObject([{ code: 'server_name_missing' }])
})

test.each([
  ['says nothing', []],
  ['says half a hello', [records(hello).subarray(0, 20)]],
] as const)('a client that %s and ends', async (_, parts) => {
  const { proxy } = await guarded()
  for (const end of ['end', 'resetAndDestroy'] as const) {
    const client = await connectTo(proxy)
    for (const part of parts) client.socket.write(part)
    await sleep(20)
    client.socket[end]()
    await client.closed
  }
  await expect.poll(proxy.codes).toEqual(['client_gone', 'client_gone'])
})
