/**
 * Shapes of JSON, each in two forms of one definition: a function that reads hostile JSON, and a JSON Schema that says the
 * same in /openapi.json. The edge reads requests with them, the CLI answers; TypeScript's types follow from them.
 */
import type { Json } from '../intent.ts'
import { Refusal } from '../refusal.ts'

/** JSON Schema 2020-12, as far as shapes need it. */
export type JsonSchema = { readonly [member: string]: Json }

/** Turns JSON into a T, or refuses with the path of what is wrong. Members that nobody asked for are left out. */
export interface Shape<T> {
  (json: Json | undefined, path: string): T
  readonly schema: JsonSchema
  readonly isOptional?: boolean
}
export type Of<S> = S extends Shape<infer T> ? T : never

export const wrong = (path: string, what: string) => new Refusal('bad_request', { why: `${path}: ${what}` })

export const shape = <T>(schema: JsonSchema, read: (json: Json | undefined, path: string) => T): Shape<T> =>
  Object.assign((json: Json | undefined, path: string) => read(json, path), { schema })

export const text = (longest: number): Shape<string> =>
  shape({ type: 'string', maxLength: longest }, (json, path) => {
    if (typeof json !== 'string' || json.length > longest) throw wrong(path, `text of at most ${longest} characters`)
    return json
  })

export const oneOf = <const T extends string>(words: readonly T[]): Shape<T> =>
  shape({ type: 'string', enum: words }, (json, path) => {
    const found = words.find((word) => word === json)
    if (found === undefined) throw wrong(path, `one of ${words.join(', ')}`)
    return found
  })

const exact = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }
export const whole: Shape<number> = shape({ type: 'integer', ...exact }, (json, path) => {
  if (typeof json !== 'number' || !Number.isSafeInteger(json)) throw wrong(path, 'a whole number')
  return json
})

export const yesOrNo: Shape<boolean> = shape({ type: 'boolean' }, (json, path) => {
  if (typeof json !== 'boolean') throw wrong(path, 'true or false')
  return json
})

/** Whatever JSON: somebody further in reads it. */
export const anything: Shape<Json> = shape({}, (json, path) => {
  if (json === undefined) throw wrong(path, 'a value')
  return json
})

/** null counts as missing. */
export const optional = <T>(inner: Shape<T>): Shape<T | undefined> =>
  Object.assign(
    shape({ ...inner.schema }, (json, path) => (json === undefined || json === null ? undefined : inner(json, path))),
    { isOptional: true },
  )

export const list = <T>(inner: Shape<T>, most: number): Shape<readonly T[]> =>
  shape({ type: 'array', items: inner.schema, maxItems: most }, (json, path) => {
    if (!Array.isArray(json) || json.length > most) throw wrong(path, `a list of at most ${most}`)
    return json.map((item: Json, i) => inner(item, `${path}[${i}]`))
  })

type Members<T> = { readonly [K in keyof T]: Shape<T[K]> }

export const object = <T extends object>(members: Members<T>): Shape<T> => {
  const entries = Object.entries<Shape<unknown>>(members)
  const schema: JsonSchema = {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, inner]) => [name, inner.schema])),
    required: entries.filter(([, inner]) => !inner.isOptional).map(([name]) => name),
  }
  return shape(schema, (json, path) => {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong(path, 'an object')
    const given = json as { readonly [member: string]: Json }
    const read = ([name, inner]: [string, Shape<unknown>]) => [
      name,
      inner(Object.hasOwn(given, name) ? given[name] : undefined, `${path}.${name}`),
    ]
    return Object.fromEntries(entries.map(read)) as T
  })
}
