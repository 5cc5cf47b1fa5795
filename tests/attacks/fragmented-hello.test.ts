/**
 * A client cuts its ClientHello into many records, or spells its name otherwise, so that a proxy which reads only the first
 * record, or only its own spelling, finds no name and takes a laxer route (CVE-2026-32305, GHSA-9cr8-q42q-g8m7). Here such
 * a hello reaches the very route of the plain one, or none.
 */
import { expect, test } from 'vitest'
import { parseHello } from '../../core/route/hello.ts'
import { compileTable, type RouteRule } from '../../core/route/table.ts'
import { alpn, message, records, sni } from '../core/hello-writer.ts'

const lax: RouteRule = {
  name: 'lax',
  sni: ['*', '*.a.test'],
  noSni: true,
  alpn: undefined,
  tls: 'terminate',
  clientCertificate: false,
}
const strict: RouteRule = {
  ...lax,
  name: 'strict',
  sni: ['db.a.test'],
  noSni: false,
  alpn: ['h2'],
  clientCertificate: true,
}

function routeOf(wire: Uint8Array): string {
  const table = compileTable([lax, strict])
  const parsed = parseHello(wire)
  if (table.kind !== 'value' || parsed.kind !== 'value') return 'none'
  const routed = table.value.match(parsed.value)
  return routed.kind === 'route' ? routed.rule.name : 'none'
}

const whole = message(sni('db.a.test'), alpn('h2'))

test('no cut into records leads to another route', () => {
  const routes = Array.from({ length: whole.length }, (_, at) => routeOf(records(whole, at + 1)))
  expect(new Set(routes)).toEqual(new Set(['none', 'strict']))
  expect(routes.slice(Math.ceil(whole.length / 64))).not.toContain('none')
})

test('no end before the whole leads to a route', () => {
  const wire = records(whole, 20)
  const routes = Array.from({ length: wire.length }, (_, at) => routeOf(wire.subarray(0, at)))
  expect(new Set(routes)).toEqual(new Set(['none']))
})

test.each(['DB.a.test', 'db.A.TEST.', 'dB.a.test.'])('%s is routed as db.a.test', (name) => {
  expect(routeOf(records(message(sni(name), alpn('h2'))))).toBe('strict')
})

test.each([
  ['a NUL behind the name', message(sni('db.a.test\0.b.test'), alpn('h2'))],
  ['two trailing dots', message(sni('db.a.test..'), alpn('h2'))],
  ['two names', message(sni('x.a.test', 'db.a.test'), alpn('h2'))],
  ['two extensions', message(sni('x.a.test'), sni('db.a.test'), alpn('h2'))],
  ['an empty name', message(sni(''), alpn('h2'))],
  ['an empty name of ALPN', message(sni('db.a.test'), alpn('', 'h2'))],
  ['another ALPN', message(sni('db.a.test'), alpn('http/1.1'))],
  ['no ALPN', message(sni('db.a.test'))],
])('%s leads nowhere', (_, hello) => {
  expect(routeOf(records(hello))).toBe('none')
})
