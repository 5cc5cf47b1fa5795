import { describe, expect, test } from 'vitest'
import { explain } from '../../../core/route/explain.ts'
import { parseHello } from '../../../core/route/hello.ts'
import { compileTable, type RouteRule } from '../../../core/route/table.ts'
import { alpn as alpnOf, message, records, sni as sniOf } from '../hello-writer.ts'

const rule = (name: string, sni: readonly string[], alpn?: readonly string[], noSni = false): RouteRule => ({
  name,
  sni,
  noSni,
  alpn,
  tls: 'passthrough',
  clientCertificate: false,
})
const compiled = compileTable([
  rule('db', ['db.a.test'], ['postgresql', '']),
  rule('wild', ['*.a.test']),
  rule('any', ['*'], ['h2']),
  rule('bare', [], undefined, true),
])
if (compiled.kind === 'invalid') throw new Error('no table')
const table = compiled.value

const names = ['db.a.test', 'DB.a.test.', 'x.a.test', 'a.test', '', 'a..b', 'a\0', '10.0.0.1', '[::1]', 'x'.repeat(300)]
const offers = [[], ['h2'], ['x', 'postgresql'], [''], ['h 2'], Array<string>(65).fill('x')]

describe('explain', () => {
  test.each(names.flatMap((sni) => offers.map((alpn) => [sni, alpn] as const)))(
    'says of %j offering %j what becomes of such a hello',
    (sni, alpn) => {
      const explained = explain(table, { sni, alpn })
      const parsed = parseHello(records(message(sniOf(sni), ...(alpn.length > 0 ? [alpnOf(...alpn)] : []))))
      if (parsed.kind !== 'value') {
        expect(explained).toEqual({ kind: 'invalid', reason: (parsed as { why: string }).why })
        return
      }
      const routed = table.match(parsed.value)
      expect(explained).toMatchObject({
        kind: routed.kind,
        considered: routed.considered,
        ...(routed.kind === 'route' ? { rule: routed.rule } : { reason: routed.why }),
      })
    },
  )

  test.each([
    ['db.a.test', 'exact_name'],
    ['x.a.test', 'wildcard_name'],
    ['10.0.0.1', 'no_name'],
    [undefined, 'no_name'],
  ])('%s comes under its rule by %s', (sni, reason) => {
    expect(explain(table, { sni, alpn: [] })).toMatchObject({ kind: 'route', reason })
  })

  test('a name that an expression stands for', () => {
    const patterned = compileTable([{ ...rule('p', []), sniPattern: ['^x-[0-9]+[.]b[.]test$'] }, rule('any', ['*'])])
    if (patterned.kind === 'invalid') throw new Error('no table')
    expect(explain(patterned.value, { sni: 'X-7.b.test.', alpn: [] })).toMatchObject({
      kind: 'route',
      rule: { name: 'p' },
      reason: 'pattern_name',
    })
    expect(explain(patterned.value, { sni: 'x-y.b.test', alpn: [] })).toMatchObject({ reason: 'any_name' })
  })

  test('a name that only * stands for', () => {
    expect(explain(table, { sni: 'a.test', alpn: ['h2'] })).toMatchObject({ reason: 'any_name' })
    expect(explain(table, { sni: 'localhost', alpn: ['h2'] })).toMatchObject({ reason: 'any_name' })
  })

  test('no client can offer a name of 256 bytes', () => {
    expect(explain(table, { sni: 'a.test', alpn: ['x'.repeat(256)] })).toMatchObject({ reason: 'alpn_malformed' })
  })
})
