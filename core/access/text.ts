/** Text in documents: what it may hold, and what this version would read differently from the writer. */
import type { Json } from '../intent.ts'
import type { Duration } from '../model.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { mapOf, type Read, refined, tellExpected } from './fields.ts'
import { type Place, quoted, tell } from './place.ts'

/** What speaks against a text, or undefined. */
type WhyNot = (text: string) => string | undefined

const longest = 256
const mostLabels = 64

/** YAML reads `1` and `true` as what they look like, so the remedy is said. */
export function anyText(json: Json | undefined, place: Place): string | undefined {
  if (typeof json === 'string') return json
  const isScalar = typeof json === 'number' || typeof json === 'boolean'
  return isScalar ? tell(place, `expected text: put ${json} in quotes`) : tellExpected(json, place, 'text')
}

export const text = (...rules: readonly WhyNot[]): Read<string> =>
  refined(anyText, (read, place) => {
    const complaint = rules.map((rule) => rule(read)).find((found) => found !== undefined)
    return complaint === undefined ? read : tell(place, complaint)
  })

/** Two texts that look the same must be the same; a lone surrogate has no bytes. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

export const oneLine: WhyNot = (read) => {
  if (read === '' || read.length > longest) return `expected 1 to ${longest} characters`
  if (unseen.test(read)) return 'has a control or invisible character'
  return read === read.trim() ? undefined : 'has white space at its ends'
}

export const shaped =
  (shape: RegExp, expected: string): WhyNot =>
  (read) =>
    shape.test(read) ? undefined : `${quoted(read)}: expected ${expected}`

/** Begins with a letter or digit, so never with what JavaScript means by `__proto__`. */
const labelShape = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/

const labelName = shaped(labelShape, 'a label of letters, digits and . _ : / -')

/** The labels that something has. */
export const labels: Read<{ readonly [label: string]: string }> = mapOf(labelName, text(oneLine), mostLabels)

/** The labels that something must have; `*` is any. */
export const labelMatchers = <T>(read: Read<T>) =>
  mapOf((name) => (name === '*' ? undefined : labelName(name)), read, mostLabels)

/** Reads differ on what line ends and white space around a text are worth; they are worth nothing. */
const trimmed: Read<string> = refined(anyText, (read) => read.replaceAll('\r\n', '\n').trim())

const longestDescription = 1024
const unseenInParagraphs = /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

/** For people: may have several lines. An empty one is none. */
export const description: Read<string> = refined(trimmed, (read, place) => {
  if (read.length > longestDescription) return tell(place, `expected at most ${longestDescription} characters`)
  if (unseenInParagraphs.test(read)) return tell(place, 'has a control or invisible character')
  return read === '' ? undefined : read
})

/** For people, on one line. An empty one is none. */
export const message: Read<string> = refined(trimmed, (read, place) => {
  const complaint = read === '' ? undefined : oneLine(read)
  return complaint === undefined ? read || undefined : tell(place, complaint)
})

/** As `formatDuration` writes it. */
export const ttl = (shortest: Duration, longest: Duration): Read<string> =>
  refined(anyText, (written, place) => {
    const duration = parseDuration(written)
    if (duration === undefined) return tell(place, `${quoted(written)}: expected a duration such as 8h or 1h30m`)
    if (duration >= shortest && duration <= longest) return formatDuration(duration)
    return tell(place, `expected ${formatDuration(shortest)} to ${formatDuration(longest)}`)
  })
