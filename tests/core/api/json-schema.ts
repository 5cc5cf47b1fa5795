/** JSON Schema 2020-12, as far as shapes use it. A keyword that is not known here fails the test that meets it. */

import type { JsonSchema } from '../../../core/api/shape.ts'
import type { Json } from '../../../core/intent.ts'

type Map = { readonly [member: string]: Json }
type Check = (value: Json, keyword: Json, schema: JsonSchema) => boolean

const isMap = (value: Json): value is Map => typeof value === 'object' && value !== null && !Array.isArray(value)
const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b)
const types: Readonly<Record<string, (value: Json) => boolean>> = {
  object: isMap,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
}
/** Keywords of one type say nothing of values of another. */
const ofText = (value: Json, holds: (text: string) => boolean) => typeof value !== 'string' || holds(value)
const ofNumber = (value: Json, holds: (number: number) => boolean) => typeof value !== 'number' || holds(value)

const keywords: Readonly<Record<string, Check>> = {
  type: (value, type) => types[String(type)]?.(value) ?? false,
  const: same,
  enum: (value, words) => (words as Json[]).some((word) => same(word, value)),
  maxLength: (value, most) => ofText(value, (text) => [...text].length <= Number(most)),
  minLength: (value, least) => ofText(value, (text) => [...text].length >= Number(least)),
  minimum: (value, least) => ofNumber(value, (number) => number >= Number(least)),
  maximum: (value, most) => ofNumber(value, (number) => number <= Number(most)),
  maxItems: (value, most) => !Array.isArray(value) || value.length <= Number(most),
  items: (value, schema) => !Array.isArray(value) || value.every((item: Json) => accepts(schema as JsonSchema, item)),
  required: (value, names) => !isMap(value) || (names as string[]).every((name) => Object.hasOwn(value, name)),
  properties: (value, members) =>
    !isMap(value) ||
    Object.entries(members as Map).every(
      ([name, schema]) => !Object.hasOwn(value, name) || accepts(schema as JsonSchema, value[name] as Json),
    ),
  additionalProperties: (value, allowed, { properties = {} }) =>
    allowed !== false || !isMap(value) || Object.keys(value).every((name) => Object.hasOwn(properties as Map, name)),
}

export function accepts(schema: JsonSchema, value: Json): boolean {
  return Object.entries(schema).every(([keyword, given]) => {
    const check = keywords[keyword]
    if (!check) throw new Error(`No shape uses the keyword ${keyword}`)
    return check(value, given, schema)
  })
}
