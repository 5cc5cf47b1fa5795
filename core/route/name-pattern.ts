/**
 * Server names by regular expression, of RE2: its cost grows with the name and no faster. An expression is of the whole name, as in a
 * role's labels (core/access/pattern.ts): it begins with `^` and ends with `$`, and neither half of an alternation is less bound.
 */
import { RE2JS } from 're2js'
import { quoted } from '../access/place.ts'

export interface NamePattern {
  matches(name: string): boolean
}

/** Of one table. Each is tried for every name that no rule spells out. */
export const mostPatterns = 64
/** Instructions of all of them together: with names of 253 characters a look at all stays within a few milliseconds. */
export const mostInstructions = 4000
const longest = 256

export type CompiledPattern =
  | { readonly kind: 'value'; readonly value: NamePattern; readonly instructions: number }
  | { readonly kind: 'invalid'; readonly why: string }

const invalid = (why: string): CompiledPattern => ({ kind: 'invalid', why })

/** Names come in lower case and without a trailing dot (core/route/name.ts). */
export function compileNamePattern(text: string): CompiledPattern {
  if (text.length > longest) return invalid(`longer than ${longest} characters`)
  if (!text.startsWith('^') || !text.endsWith('$'))
    return invalid(
      `${quoted(text)}: an expression begins with \`^\` and ends with \`$\`, so that it is of the whole name`,
    )
  if (!text.includes('(?') && /[A-Z]/.test(text.replace(/\\[A-Z]|\\p\{[^}]*\}/g, '')))
    return invalid(`${quoted(text)}: names are compared in lower case`)
  try {
    const expression = RE2JS.compile(text)
    const instructions = expression.programSize()
    // `matches` wants the whole name whatever the anchors bind to: `^a|b$` is a or b.
    return { kind: 'value', value: { matches: (name) => expression.matches(name) }, instructions }
  } catch {
    return invalid(`${quoted(text)}: no regular expression in RE2's syntax`)
  }
}
