import { describe, expect, test } from 'vitest'
import { showPath } from '../../../core/access/place.ts'
import { compileTable, type RouteRule } from '../../../core/route/table.ts'

const rule = (name: string, fields: Partial<RouteRule>): RouteRule => ({
  name,
  sni: [],
  noSni: false,
  alpn: undefined,
  tls: 'terminate',
  clientCertificate: false,
  ...fields,
})
function tableOf(...rules: readonly RouteRule[]) {
  const compiled = compileTable(rules)
  if (compiled.kind === 'invalid') throw new Error(JSON.stringify(compiled.problems))
  return compiled.value
}
const problemsOf = (...rules: readonly RouteRule[]) => {
  const compiled = compileTable(rules)
  return compiled.kind === 'invalid'
    ? compiled.problems.map(({ path, message }) => `${showPath(path)}: ${message}`)
    : []
}

describe('match', () => {
  const table = tableOf(
    rule('any', { sni: ['*'] }),
    rule('wild', { sni: ['*.a.test'] }),
    rule('wild-ssh', { sni: ['*.a.test'], alpn: ['sallyport-ssh'] }),
    rule('db', { sni: ['db.a.test', 'db2.a.test'], alpn: ['postgresql'] }),
    rule('db-web', { sni: ['db.a.test'], alpn: ['h2', 'http/1.1', ''] }),
    rule('bare', { noSni: true, alpn: ['sallyport'] }),
  )

  test.each([
    ['db.a.test', ['postgresql'], 'db'],
    ['db2.a.test', ['postgresql'], 'db'],
    ['db.a.test', ['h2', 'postgresql'], 'db-web'],
    ['db.a.test', ['postgresql', 'h2'], 'db'],
    ['db.a.test', ['unknown', '0a0a', 'postgresql'], 'db'],
    ['db.a.test', [], 'db-web'],
    ['x.a.test', ['sallyport-ssh'], 'wild-ssh'],
    ['x.a.test', ['h2'], 'wild'],
    ['x.a.test', [], 'wild'],
    ['a.test', ['h2'], 'any'],
    ['y.x.a.test', ['h2'], 'any'],
    ['localhost', ['h2'], 'any'],
    [undefined, ['sallyport'], 'bare'],
  ])('%s offering %j goes to %s', (sni, alpn, name) => {
    expect(table.match({ sni, alpn })).toMatchObject({ kind: 'route', rule: { name } })
  })

  test('name and ALPN must hold for the same rule, and a less specific name is not asked then', () => {
    expect(table.match({ sni: 'db2.a.test', alpn: ['h2'] })).toEqual({
      kind: 'refused',
      why: 'no_route_for_alpn',
      considered: ['db'],
    })
  })

  test('a hello without a name falls under no rule for any name', () => {
    expect(table.match({ sni: undefined, alpn: ['h2'] })).toMatchObject({
      why: 'no_route_for_alpn',
      considered: ['bare'],
    })
    expect(tableOf(rule('any', { sni: ['*'] })).match({ sni: undefined, alpn: [] })).toMatchObject({
      why: 'no_route_without_sni',
    })
  })

  test('a rule without a name takes no hello that has one', () => {
    const bare = tableOf(rule('bare', { noSni: true }))
    expect(bare.match({ sni: 'a.test', alpn: [] })).toMatchObject({ why: 'no_route_for_sni', considered: [] })
  })

  test('an empty table refuses everything', () => {
    expect(tableOf().match({ sni: 'a.test', alpn: ['h2'] })).toMatchObject({ kind: 'refused' })
    expect(tableOf().match({ sni: undefined, alpn: [] })).toMatchObject({ kind: 'refused' })
  })

  test('a rule that lists what is offered comes before one that takes anything, in whatever order they stand', () => {
    const [lax, strict] = [rule('lax', { sni: ['a.test'] }), rule('strict', { sni: ['a.test'], alpn: ['h2'] })]
    for (const table of [tableOf(lax, strict), tableOf(strict, lax)]) {
      expect(table.match({ sni: 'a.test', alpn: ['http/1.1', 'h2'] })).toMatchObject({ rule: strict })
      expect(table.match({ sni: 'a.test', alpn: ['http/1.1'] })).toMatchObject({ rule: lax })
    }
  })

  test('tells which rules of the name were considered, in their order', () => {
    expect(table.match({ sni: 'db.a.test', alpn: ['h2'] }).considered).toEqual(['db', 'db-web'])
  })

  test('names of objects’ own members are no names', () => {
    for (const sni of ['constructor', '__proto__', 'tostring'])
      expect(tableOf(rule('a', { sni: ['a.test'] })).match({ sni, alpn: [] })).toMatchObject({ kind: 'refused' })
  })

  test('10,000 rules are looked up as one is', () => {
    const rules = Array.from({ length: 10_000 }, (_, at) => rule(`r${at}`, { sni: [`r${at}.test`], alpn: ['h2'] }))
    expect(tableOf(...rules).match({ sni: 'r9999.test', alpn: ['h2'] })).toMatchObject({ considered: ['r9999'] })
    expect(problemsOf(...rules, rule('one-more', { noSni: true }))).toEqual(['routes: too many: at most 10000'])
  })
})

describe('compileTable tells', () => {
  test.each<[string, RouteRule[], string[]]>([
    ['a name twice', [rule('a', { sni: ['a.test'] }), rule('a', { sni: ['b.test'] })], ['routes[1].name']],
    ['a bad name', [rule('A b', { sni: ['a.test'] })], ['routes[0].name']],
    ['no name at all', [rule('a', {})], ['routes[0].sni']],
    ['upper case', [rule('a', { sni: ['ok.test', 'A.test'] })], ['routes[0].sni[1]']],
    ['a trailing dot', [rule('a', { sni: ['a.test.'] })], ['routes[0].sni[0]']],
    [
      'a wildcard within',
      [rule('a', { sni: ['a.*.test', '*a.test', '*.*.test'] })],
      [0, 1, 2].map((at) => `routes[0].sni[${at}]`),
    ],
    [
      'an address',
      [rule('a', { sni: ['10.0.0.1', '::1', '*.10.0.0.1'] })],
      [0, 1, 2].map((at) => `routes[0].sni[${at}]`),
    ],
    ['an empty list of ALPN', [rule('a', { sni: ['a.test'], alpn: [] })], ['routes[0].alpn']],
    ['ALPN with a space', [rule('a', { sni: ['a.test'], alpn: ['h2', 'h 2'] })], ['routes[0].alpn[1]']],
    ['ALPN of 256', [rule('a', { sni: ['a.test'], alpn: ['a'.repeat(256)] })], ['routes[0].alpn[0]']],
    [
      'a passthrough that demands a certificate',
      [rule('a', { sni: ['a.test'], tls: 'passthrough', clientCertificate: true })],
      ['routes[0].client_ca'],
    ],
    [
      'two for any ALPN',
      [rule('a', { sni: ['a.test'] }), rule('b', { sni: ['b.test', 'a.test'] })],
      ['routes[1].sni[1]'],
    ],
    [
      'two for the same ALPN',
      [rule('a', { sni: ['*.test'], alpn: ['h2'] }), rule('b', { sni: ['*.test'], alpn: ['x', 'h2'] })],
      ['routes[1].sni[0]'],
    ],
    ['two without a name', [rule('a', { noSni: true }), rule('b', { noSni: true })], ['routes[1].no_sni']],
    ['a name twice in one', [rule('a', { sni: ['a.test', 'a.test'] })], ['routes[0].sni[1]']],
  ])('%s', (_, rules, places) => {
    expect(problemsOf(...rules).map((problem) => problem.split(': ')[0])).toEqual(places)
  })

  test('all problems at once, in words', () => {
    expect(problemsOf(rule('a', { sni: ['a.test'] }), rule('b', { sni: ['a.test'] }))).toEqual([
      'routes[1].sni[0]: route `a` holds for the same hellos',
    ])
    expect(problemsOf(rule('a', { sni: ['A.test'], alpn: [] }), rule('b', {}))).toHaveLength(3)
  })
})

describe('expressions', () => {
  const table = tableOf(
    rule('any', { sni: ['*'] }),
    rule('db', { sniPattern: ['^db-[0-9]+[.]a[.]test$'], alpn: ['postgresql'] }),
    rule('wide', { sni: ['b.test'], sniPattern: ['^[a-z0-9.-]+[.]test$', '^x|y$'] }),
    rule('exact', { sni: ['db-7.a.test'] }),
    rule('wild', { sni: ['*.w.test'] }),
  )

  test.each([
    ['db-7.a.test', [], 'exact'],
    ['x.w.test', [], 'wild'],
    ['db-8.a.test', ['postgresql'], 'db'],
    ['other.a.test', [], 'wide'],
    ['a.test.evil', [], 'any'],
    ['evil.db-8.a.tests', [], 'any'],
    ['x', [], 'wide'],
    ['xz', [], 'any'],
    ['zy', [], 'any'],
  ])('%s offering %j goes to %s', (sni, alpn, name) => {
    expect(table.match({ sni, alpn })).toMatchObject({ kind: 'route', rule: { name } })
  })

  test('the first that matches decides alone, whatever is offered', () => {
    expect(table.match({ sni: 'db-8.a.test', alpn: ['h2'] })).toEqual({
      kind: 'refused',
      why: 'no_route_for_alpn',
      considered: ['db'],
    })
  })

  test('none is for hellos without a name', () => {
    const bare = tableOf(rule('a', { sniPattern: ['^.*$'] }))
    expect(bare.match({ sni: undefined, alpn: [] })).toMatchObject({ why: 'no_route_without_sni' })
    expect(bare.match({ sni: 'a.test', alpn: [] })).toMatchObject({ kind: 'route' })
  })

  test('two routes may share one by what is offered, and not for the same', () => {
    const of = (name: string, alpn: string) => rule(name, { sniPattern: ['^a.*$'], alpn: [alpn] })
    const shared = tableOf(of('a', 'h2'), of('b', 'x'))
    expect(shared.match({ sni: 'a.test', alpn: ['x'] })).toMatchObject({ rule: { name: 'b' } })
    expect(problemsOf(of('a', 'h2'), of('b', 'h2'))).toEqual([
      'routes[1].sni_pattern[0]: route `a` holds for the same hellos',
    ])
  })

  test.each<[string, string, RegExp]>([
    ['no anchor before', 'a$', /begins with/],
    ['no anchor behind', '^a', /ends with/],
    ['upper case', '^A$', /lower case/],
    ['what RE2 has not', '^(a)\\1$', /RE2's syntax/],
    ['one that is too long', `^${'a'.repeat(300)}$`, /longer than 256/],
    ['one that is too much work', `^${'(a{0,100}){0,9}'.repeat(6)}$`, /too much work/],
  ])('%s is refused', (_, text, why) => {
    const [problem = ''] = problemsOf(rule('a', { sniPattern: [text] }))
    expect(problem).toMatch(/^routes\[0\]\.sni_pattern\[0\]: /)
    expect(problem).toMatch(why)
  })

  test('at most 64, over all routes', () => {
    const of = (count: number) =>
      Array.from({ length: count }, (_, at) => rule(`r${at}`, { sniPattern: [`^r${at}[.]test$`] }))
    expect(problemsOf(...of(64))).toEqual([])
    expect(problemsOf(...of(65))).toEqual(['routes[64].sni_pattern[0]: too many expressions: at most 64 in all routes'])
  })

  test('the dearest that is taken costs each name a bounded time', () => {
    const dear = Array.from({ length: 2 }, (_, at) => `^(?:a{0,100}){0,8}b${at}$`)
    const table = tableOf(rule('a', { sniPattern: dear }))
    const from = performance.now()
    expect(table.match({ sni: 'a'.repeat(253), alpn: [] })).toMatchObject({ kind: 'refused' })
    expect(performance.now() - from).toBeLessThan(1000)
  })
})
