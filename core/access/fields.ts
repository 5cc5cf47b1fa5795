/**
 * Readers of a document's parts. What a reader does not know it refuses by name: a policy that is silently ignored is a
 * hole. A reader answers undefined for what is left out and for what it told a problem about.
 */
import type { Json } from '../intent.ts'
import { anyOf, into, isFull, nearest, type Place, quoted, tell } from './place.ts'

/** undefined: the field is missing. */
export type Read<T> = (json: Json | undefined, place: Place) => T | undefined

type JsonMap = { readonly [member: string]: Json }

export const isMap = (json: Json | undefined): json is JsonMap =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

/** Never what a prototype has. */
export const member = (map: JsonMap, name: string): Json | undefined =>
  Object.hasOwn(map, name) ? map[name] : undefined

export function tellExpected(json: Json | undefined, place: Place, what: string): undefined {
  return tell(place, json === undefined ? `missing: expected ${what}` : `expected ${what}, not ${kindOf(json)}`)
}

function kindOf(json: Json): string {
  if (json === null) return 'nothing'
  if (typeof json === 'object') return Array.isArray(json) ? 'a list' : 'a map'
  return { string: 'text', number: 'a number', boolean: 'true or false' }[
    typeof json as 'string' | 'number' | 'boolean'
  ]
}

/** A map with exactly these fields. `what` has them: "role has no field `logins`". */
export function fields<T extends object>(what: string, readers: { readonly [K in keyof T]-?: Read<T[K]> }): Read<T> {
  const known = Object.keys(readers)
  return (json, place) => {
    if (!isMap(json)) return tellExpected(json, place, `a map of ${known.join(', ')}`)
    tellUnknown(what, known, json, place)
    const members = Object.entries<Read<unknown>>(readers).map(([name, read]) => {
      return [name, read(member(json, name), into(place, name))] as const
    })
    return Object.fromEntries(members.filter(([, value]) => value !== undefined)) as T
  }
}

export function tellUnknown(what: string, known: readonly string[], json: JsonMap, place: Place): void {
  for (const name of Object.keys(json).filter((name) => !known.includes(name))) {
    if (isFull(place)) return
    const meant = nearest(name, known)
    const hint = meant ? `did you mean ${quoted(meant)}?` : 'not supported in this version'
    tell(into(place, name), `${what} has no field ${quoted(name)}: ${hint}`)
  }
}

export const optional =
  <T>(read: Read<T>): Read<T> =>
  (json, place) =>
    json === undefined ? undefined : read(json, place)

/** Missing and null are the empty map: a field whose name alone stands there says nothing. */
export const orEmptyMap =
  <T>(read: Read<T>): Read<T> =>
  (json, place) =>
    read(json ?? {}, place)

/** Missing, null and empty are one: left out. For lists and maps. */
export const unlessEmpty =
  <T extends object>(read: Read<T>): Read<T> =>
  (json, place) => {
    const value = json == null ? undefined : read(json, place)
    return value && Object.keys(value).length > 0 ? value : undefined
  }

export const refined =
  <A, B>(read: Read<A>, next: (value: A, place: Place) => B | undefined): Read<B> =>
  (json, place) => {
    const value = read(json, place)
    return value === undefined ? undefined : next(value, place)
  }

export function oneOf<Word extends string>(...words: readonly Word[]): Read<Word> {
  const expected = anyOf(words)
  return (json, place) => {
    if (typeof json !== 'string') return tellExpected(json, place, expected)
    const word = words.find((candidate) => candidate === json)
    if (word !== undefined) return word
    const meant = nearest(json, words)
    const hint = meant ? `did you mean ${quoted(meant)}?` : `not supported in this version: expected ${expected}`
    return tell(place, `${quoted(json)}: ${hint}`)
  }
}

/** YAML 1.1 reads these words as booleans and YAML 1.2 as text: files that people have mean booleans. */
const booleanWords = new Map([
  ...['true', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', 'no', 'off'].map((word) => [word, false] as const),
])

export function yesOrNo(json: Json | undefined, place: Place): boolean | undefined {
  if (typeof json === 'boolean') return json
  if (typeof json !== 'string') return tellExpected(json, place, 'true or false')
  return booleanWords.get(json.toLowerCase()) ?? tell(place, `${quoted(json)}: expected true or false`)
}

/** What stands twice counts once. */
export function listOf<Word extends string>(read: Read<Word>, most: number): Read<readonly Word[]> {
  return (json, place) => {
    if (!isList(json)) return tellExpected(json, place, 'a list of text')
    if (json.length > most) return tell(place, `${json.length} entries: at most ${most}`)
    const entries = json.map((entry, at) => read(entry, into(place, at)))
    return [...new Set(entries.filter((entry) => entry !== undefined))]
  }
}

const isList = (json: Json | undefined): json is readonly Json[] => Array.isArray(json)

/** A map whose names the writer chose; in their order, whoever kept it. `whyNot` complains of a name. */
export function mapOf<T>(
  whyNot: (name: string) => string | undefined,
  read: Read<T>,
  most: number,
  what = 'labels',
): Read<{ readonly [name: string]: T }> {
  return (json, place) => {
    if (!isMap(json)) return tellExpected(json, place, `a map of ${what}`)
    const names = Object.keys(json).sort()
    if (names.length > most) return tell(place, `${names.length} entries: at most ${most}`)
    const members = names.map((name) => {
      const [at, complaint] = [into(place, name), whyNot(name)]
      return [name, complaint === undefined ? read(member(json, name), at) : tell(at, complaint)] as const
    })
    return Object.fromEntries(members.filter(([, value]) => value !== undefined)) as { [name: string]: T }
  }
}
