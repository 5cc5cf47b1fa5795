/**
 * The values of a role's lists and labels. `*` is anything; `web-*` any text of that form; `^web-\d+$` a regular expression in RE2's
 * syntax, whose cost grows with the text and no faster; `{{internal.logins}}` what the user has under that name. All else is
 * itself.
 */
import { RE2JS } from 're2js'
import { anyOf, quoted } from './place.ts'

/** What a user has besides roles, by name: the values that templates stand for. */
export type Traits = { readonly [name: string]: readonly string[] }

type Matcher =
  | { readonly kind: 'any' }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'pattern'; readonly expression: RE2JS }
  | ({ readonly kind: 'template' } & Template)

/** The traits of its name, each between two pieces of text. */
interface Template {
  readonly before: string
  readonly trait: string
  readonly after: string
}

const template =
  /^([^{}]*)\{\{\s*(internal|external)\s*(?:\.\s*([A-Za-z0-9_-]{1,64})|\["([^"\\{}]{1,128})"\])\s*\}\}([^{}]*)$/

/** What `internal` may name: those that roles have lists for. `external` names whatever the user has. */
const internalTraits = [
  'logins',
  'windows_logins',
  'kubernetes_users',
  'kubernetes_groups',
  'db_users',
  'db_names',
] as const

/** What speaks against a value, or undefined. */
export function whyNoPattern(text: string): string | undefined {
  if (text.includes('{{') || text.includes('}}')) return whyNoTemplate(text)
  if (!text.startsWith('^')) return undefined
  if (!text.endsWith('$'))
    return `${quoted(text)}: a regular expression ends with \`$\`, so that it is of the whole text`
  return compiled(text) ? undefined : `${quoted(text)}: no regular expression in RE2's syntax`
}

function whyNoTemplate(text: string): string | undefined {
  const [, , space, name, quotedName] = template.exec(text) ?? []
  if (space === undefined)
    return `${quoted(text)}: expected one template such as {{internal.logins}} or {{external.team}}`
  if (space === 'external' || internalTraits.some((known) => known === (name ?? quotedName))) return undefined
  return `${quoted(text)}: internal traits are ${anyOf(internalTraits)}`
}

function compiled(text: string): RE2JS | undefined {
  try {
    return RE2JS.compile(text)
  } catch {
    return undefined
  }
}

/** Anything is a value that nothing else matches: what this version cannot read allows nothing. */
function matcherOf(text: string): Matcher {
  if (text === '*') return { kind: 'any' }
  const [, before, , name, quotedName, after] = template.exec(text) ?? []
  if (before !== undefined && after !== undefined)
    return { kind: 'template', before, trait: name ?? quotedName ?? '', after }
  const expression = text.startsWith('^')
    ? compiled(text)
    : text.includes('*')
      ? compiled(globExpression(text))
      : undefined
  return expression ? { kind: 'pattern', expression } : { kind: 'literal', text }
}

const globExpression = (text: string): string => `^${text.split('*').map(RE2JS.quote).join('(?s:.*)')}$`

/** A list made ready to be asked: what costs least is asked first. */
interface Ready {
  readonly matchers: readonly Matcher[]
  readonly isAny: boolean
  readonly literals: ReadonlySet<string>
  readonly expressions: readonly RE2JS[]
  readonly templates: readonly Template[]
  /** What the expressions said before: there are few texts, and they are asked about all day. */
  readonly said: Map<string, boolean>
}

/** Of lists as documents hold them, which never change: each is made ready once. */
const ready = new WeakMap<readonly string[], Ready>()
const mostSaid = 1024

function readyOf(list: readonly string[]): Ready {
  const known = ready.get(list)
  if (known) return known
  const matchers = list.map(matcherOf)
  const made: Ready = {
    matchers,
    isAny: matchers.some(({ kind }) => kind === 'any'),
    literals: new Set(matchers.flatMap((one) => (one.kind === 'literal' ? [one.text] : []))),
    expressions: matchers.flatMap((one) => (one.kind === 'pattern' ? [one.expression] : [])),
    templates: matchers.flatMap((one) => (one.kind === 'template' ? [one] : [])),
    said: new Map(),
  }
  ready.set(list, made)
  return made
}

/** Whether one of the list matches. What a template stands for is text: an asterisk in a trait is an asterisk. */
export function matches(list: readonly string[], text: string, traits: Traits): boolean {
  const one = readyOf(list)
  if (one.isAny || one.literals.has(text)) return true
  if (one.expressions.length > 0 && isExpressed(one, text)) return true
  return one.templates.some((template) => expanded(template, traits).includes(text))
}

function isExpressed({ expressions, said }: Ready, text: string): boolean {
  const before = said.get(text)
  if (before !== undefined) return before
  const answer = expressions.some((expression) => expression.matches(text))
  if (said.size >= mostSaid) said.clear()
  said.set(text, answer)
  return answer
}

function expanded({ before, trait, after }: Template, traits: Traits): readonly string[] {
  const values = Object.hasOwn(traits, trait) ? (traits[trait] as readonly string[]) : []
  return values.map((value) => `${before}${value}${after}`)
}

/** For people: the list with its templates filled in. */
export const shown = (list: readonly string[], traits: Traits): string[] => [
  ...new Set(
    list.flatMap((text, at) => {
      const matcher = readyOf(list).matchers[at]
      return matcher?.kind === 'template' ? expanded(matcher, traits) : [text]
    }),
  ),
]
