/** What OpenSSL reads of a hello must be what was routed: a hello that two readers read in two ways would be a way around a rule. */
import { createServer } from 'node:net'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { Connection } from '../../../proxy/connection.ts'
import type { LogLine } from '../../../proxy/log.ts'
import { makeTlsEnd, type Routing, whyNotAsRouted } from '../../../proxy/tls.ts'
import { issue } from '../../cli/certificates.ts'
import { until } from '../proxy.ts'
import { listening } from './routes.ts'

type Seen = Parameters<typeof whyNotAsRouted>[0]
type Row = readonly [seen: Seen, routing: Routing, alpn: readonly string[] | undefined, why: string | undefined]

const seen = (servername: string | false, alpnProtocol: string | false = false) =>
  ({ servername, alpnProtocol }) as Seen
const [name, alpn] = ['server_name_differs', 'application_protocol_differs']

test.each<Row>([
  [seen('a.test'), { sni: 'a.test', alpn: [] }, undefined, undefined],
  [seen('A.Test.'), { sni: 'a.test', alpn: [] }, undefined, undefined],
  [seen(false), { sni: undefined, alpn: [] }, undefined, undefined],
  [seen('192.0.2.1'), { sni: undefined, alpn: [] }, undefined, undefined],
  [seen('b.test'), { sni: 'a.test', alpn: [] }, undefined, name],
  [seen(false), { sni: 'a.test', alpn: [] }, undefined, name],
  [seen('a.test'), { sni: undefined, alpn: [] }, undefined, name],
  [seen('a..test'), { sni: undefined, alpn: [] }, undefined, name],
  [seen('192.0.2.1'), { sni: 'a.test', alpn: [] }, undefined, name],
  [seen('a.test', 'h2'), { sni: 'a.test', alpn: ['h2'] }, ['h2'], undefined],
  [seen('a.test'), { sni: 'a.test', alpn: [] }, ['h2', ''], undefined],
  [seen('a.test'), { sni: 'a.test', alpn: ['h2'] }, undefined, undefined],
  [seen('a.test', 'h2'), { sni: 'a.test', alpn: ['h2'] }, ['x'], alpn],
  [seen('a.test', 'h2'), { sni: 'a.test', alpn: ['x'] }, ['h2', 'x'], alpn],
  [seen('a.test', 'h2'), { sni: 'a.test', alpn: ['h2'] }, undefined, alpn],
  [seen('a.test'), { sni: 'a.test', alpn: [] }, ['h2'], alpn],
  [seen('a.test'), { sni: 'a.test', alpn: ['h2'] }, ['h2', ''], alpn],
])('OpenSSL saw %j, %j was routed, the rule takes %j', (was, routing, rule, why) => {
  expect(whyNotAsRouted(was, routing, rule)).toBe(why)
})

/** A connection whose hello says one thing, and whose routing says another. */
async function handedOver(routing: Routing, servername: string, ALPNProtocols: string[]) {
  const own = await issue('a.test', {})
  const log: LogLine[] = []
  let taken = 0
  const end = makeTlsEnd({ cert: own.pem, key: own.key }, { alpn: ['h2', 'x', ''], take: () => void taken++ })
  const server = createServer((raw) =>
    end.take(new Connection(raw, '127.0.0.1', (line) => void log.push(line)), routing),
  )
  const port = Number((await listening(server)).split(':')[1])
  const client = connect({ port, host: '127.0.0.1', servername, ALPNProtocols, rejectUnauthorized: false })
  client.on('error', () => undefined)
  await until(() => taken > 0 || log.length > 0)
  client.destroy()
  return { taken, codes: log.map(({ code }) => code) }
}

test.each<[string, string[], Routing, number, string[]]>([
  ['a.test', ['h2'], { sni: 'a.test', alpn: ['h2'] }, 1, []],
  ['b.test', ['h2'], { sni: 'a.test', alpn: ['h2'] }, 0, [name]],
  ['a.test', ['h2'], { sni: undefined, alpn: ['h2'] }, 0, [name]],
  ['a.test', ['h2'], { sni: 'a.test', alpn: ['x'] }, 0, [alpn]],
  ['a.test', ['y'], { sni: 'a.test', alpn: ['h2'] }, 0, [alpn]],
])('a hello for %s that offers %j, routed as %j', async (servername, offered, routing, taken, codes) => {
  expect(await handedOver(routing, servername, offered)).toEqual({ taken, codes })
})
