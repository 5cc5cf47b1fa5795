/** A shape is one definition in two forms: what /openapi.json says and what the edge reads must be the same. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnyOperation } from '../../../core/api/operation.ts'
import { operations } from '../../../core/api/operations.ts'
import { anything, list, object, oneOf, optional, type Shape, text, whole, yesOrNo } from '../../../core/api/shape.ts'
import { vouchKey } from '../../../core/api/webauthn.ts'
import type { Json } from '../../../core/intent.ts'
import { Refusal } from '../../../core/refusal.ts'
import { accepts } from './json-schema.ts'

const x = 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs'
const ec = { kty: 'EC', crv: 'P-256', x, y: x }

function reads(shape: Shape<unknown>, json: Json): boolean {
  try {
    shape(json, 'body')
    return true
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return false
  }
}

const pair = object({ name: text(3), note: optional(text(3)) })
const table: readonly [what: string, shape: Shape<unknown>, right: readonly Json[], wrong: readonly Json[]][] = [
  ['text', text(3), ['', 'abc', '漢字é'], ['abcd', 1, null, ['a'], {}, true]],
  ['oneOf', oneOf(['a', 'b']), ['a', 'b'], ['', 'A', 'c', 0, null, ['a'], { a: 1 }]],
  ['whole', whole, [0, -1, 2 ** 53 - 1, 1 - 2 ** 53], [0.5, 2 ** 53, 1e300, '1', null, true, [1]]],
  ['yesOrNo', yesOrNo, [true, false], [0, 1, 'true', null, []]],
  ['anything', anything, [null, 0, '', [], {}, { a: [null] }], []],
  ['list', list(text(1), 2), [[], ['a'], ['a', 'b']], [['a', 'b', 'c'], ['ab'], [1], [null], {}, 'a', null]],
  [
    'object',
    pair,
    [{ name: 'a' }, { name: 'a', note: 'b' }, { name: 'a', other: 1 }],
    [{}, { note: 'b' }, { name: 1 }, { name: 'abcd' }, [], null, 'a', { name: 'a', note: 7 }],
  ],
  ['an object without members', object({}), [{}, { a: 1 }], [[], null, '', 0]],
  ['list of objects', list(pair, 1), [[{ name: 'a' }]], [[{}], [null], [{ name: 'a' }, { name: 'b' }]]],
  [
    'vouchKey',
    vouchKey,
    [ec],
    [
      { ...ec, d: x },
      { ...ec, kid: 'k' },
      { ...ec, crv: 'P-384' },
      { ...ec, x: x.slice(1) },
      { ...ec, y: `${x}A` },
      { kty: 'EC', crv: 'P-256', x },
      null,
      [ec],
    ],
  ],
]

describe.each(table)('%s', (_what, shape, right, wrong) => {
  test.each(right.map((json) => [JSON.stringify(json), json]))('takes %s', (_shown, json) => {
    expect([reads(shape, json), accepts(shape.schema, json)]).toEqual([true, true])
  })
  test.each(wrong.map((json) => [JSON.stringify(json), json]))('refuses %s', (_shown, json) => {
    expect([reads(shape, json), accepts(shape.schema, json)]).toEqual([false, false])
  })
})

const bodies = Object.entries<AnyOperation>(operations).flatMap(([name, { body, query }]) =>
  [body, query].flatMap((shape) => (shape ? [[name, shape] as const] : [])),
)

/** JSON that has some of the members that shapes ask for. */
const members = [
  'name',
  'roles',
  'ticket',
  'assertion',
  'id',
  'response',
  'documents',
  'force',
  'kind',
  'invite',
  'secret',
]
const anyJson = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(fc.constantFrom(...members), fc.oneof(fc.jsonValue(), fc.constantFrom('db', 'a', true, [], {}))),
)

describe('of every operation', () => {
  test.each(bodies)(
    '%s reads what its schema takes and nothing else; null for what may be missing is missing',
    (_, shape) => {
      fc.assert(
        fc.property(anyJson, (json) => {
          if (JSON.stringify(json).includes('null')) return
          expect(reads(shape, json as Json)).toBe(accepts(shape.schema, json as Json))
        }),
        { numRuns: 200 },
      )
    },
  )
})

test('an optional member that is null counts as missing', () => {
  expect(pair({ name: 'a', note: null }, 'body')).toEqual({ name: 'a', note: undefined })
})

test('members that nobody asked for are left out, and those that objects have from birth are not there', () => {
  expect(pair(JSON.parse('{"name":"a","__proto__":{"note":"b"},"other":1}'), 'body')).toEqual({ name: 'a' })
  expect(() => object({ constructor: anything })({}, 'body')).toThrow(Refusal)
  expect(() => object({ toString: text(9) })({}, 'body')).toThrow(Refusal)
})

test('a refusal says where and what is wrong, for the operator', () => {
  const read = () => object({ users: list(pair, 9) })({ users: [{ name: 'a' }, { name: 7 }] }, 'body')
  expect(read).toThrow(
    expect.objectContaining({
      code: 'bad_request',
      detail: { why: 'body.users[1].name: text of at most 3 characters' },
    }),
  )
})
