import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NameTable } from '../../../core/route/name-table.ts'

const tableOf = (...names: string[]) => new NameTable(new Map(names.map((name, at) => [name, at])))

test.each([
  ['db.a.test', 0],
  ['x.a.test', 1],
  ['x.db.a.test', -1],
  ['a.test', 2],
  ['b.test', -1],
  ['test', -1],
  ['.a.test', 1],
  ['a.test.', -1],
  ['x.', -1],
  ['.', -1],
  ['', -1],
  ['db.a.tesT', -1],
  ['dc.a.test', 1],
  ['ŭb.b.test', -1],
])('find %s', (name, at) => {
  expect(tableOf('db.a.test', '*.a.test', 'a.test').find(name)).toBe(at)
})

test('a wildcard is no name, and a name no wildcard', () => {
  expect(tableOf('*.a.test').find('a.test')).toBe(-1)
  expect(tableOf('a.test').find('x.a.test')).toBe(-1)
})

test('an empty table has nothing', () => expect(tableOf().find('a.test')).toBe(-1))

test('as two look-ups in a Map, whatever names there are', () => {
  const label = fc.stringMatching(/^[ab]{1,3}$/)
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  const known = fc.uniqueArray(
    fc.oneof(
      host,
      host.map((name) => `*.${name}`),
    ),
    { maxLength: 60 },
  )
  const holds = fc.property(known, fc.array(host, { maxLength: 60 }), (names, asked) => {
    const [map, table] = [new Map(names.map((name, at) => [name, at])), tableOf(...names)]
    for (const name of [...asked, ...names]) {
      const dot = name.indexOf('.')
      const expected = map.get(name) ?? (dot < 0 ? undefined : map.get(`*${name.slice(dot)}`)) ?? -1
      expect(table.find(name)).toBe(expected)
    }
  })
  fc.assert(holds, { numRuns: 300 })
})

test('a hundred thousand names are all found, and none that is not there', () => {
  const names = Array.from({ length: 100_000 }, (_, at) =>
    at % 2 === 0 ? `host-${at}.example.com` : `*.team-${at}.example.org`,
  )
  const table = tableOf(...names)
  const wrong = names.findIndex((name, at) => table.find(name.replace('*', 'db')) !== at)
  expect(wrong).toBe(-1)
  expect(names.every((name) => table.find(`${name.replace('*', 'db')}x`) === -1)).toBe(true)
})
