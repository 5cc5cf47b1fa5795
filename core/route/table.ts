/**
 * Which rule a hello falls under. A table is compiled once and never changes: a new configuration is a new table, and
 * connections keep the rule they got. What no rule says is refused: there is no default but one that is written down.
 */

import { parseHostName } from '../access/host-port.ts'
import { into, type Place, type Problem, quoted, tell } from '../access/place.ts'
import { isAddressLiteral } from './name.ts'
import { compileNamePattern, mostInstructions, mostPatterns, type NamePattern } from './name-pattern.ts'
import { NameTable } from './name-table.ts'

export interface RouteRule {
  /** In logs, metrics and `explain`. */
  readonly name: string
  /** `db.example.com`; `*.example.com`, which stands for one label; `*`, which stands for every name that no rule names. */
  readonly sni: readonly string[]
  /** Expressions for names that none of those spells out; the first of the table that matches decides. */
  readonly sniPattern?: readonly string[]
  /** Also for hellos without a server name, or with an address in its place. */
  readonly noSni: boolean
  /** Names that a client may offer, `''` for a client that offers none. Undefined: whatever it offers. */
  readonly alpn: readonly string[] | undefined
  readonly tls: 'passthrough' | 'terminate'
  /** A client certificate is demanded, which only who ends TLS can do. */
  readonly clientCertificate: boolean
}

export type RouteReason = 'no_route_for_alpn' | 'no_route_for_sni' | 'no_route_without_sni'

/** `considered`: the rules of the name that decided, in the order of the table. */
export type Routed<Rule> =
  | { readonly kind: 'route'; readonly rule: Rule; readonly considered: readonly string[] }
  | { readonly kind: 'refused'; readonly why: RouteReason; readonly considered: readonly string[] }

export interface RouteTable<Rule> {
  match(hello: { readonly sni: string | undefined; readonly alpn: readonly string[] }): Routed<Rule>
}

export type CompiledTable<Rule> =
  | { readonly kind: 'value'; readonly value: RouteTable<Rule> }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** All rules of one name. */
interface Entry<Rule> {
  readonly considered: string[]
  readonly byAlpn: Map<string, Rule>
  /** The rule that takes whatever is offered. */
  rest: Rule | undefined
}
/** What rules name, in the spelling of each. */
interface Entries<Rule> {
  readonly names: Map<string, Entry<Rule>>
  readonly patterns: Map<string, Entry<Rule>>
}

const anyName = '*'
/** No name is spelled so. */
const withoutName = ''
/** RFC 7301 section 3.1. */
const longestAlpn = 255
const mostAlpn = 64
const mostRules = 10_000

/** Tells all that is wrong, each with its place below `routes`. */
export function compileTable<Rule extends RouteRule>(rules: readonly Rule[]): CompiledTable<Rule> {
  const problems: Problem[] = []
  const place: Place = { path: ['routes'], problems }
  if (rules.length > mostRules) tell(place, `too many: at most ${mostRules}`)
  else checkRules(rules, place)
  const entries: Entries<Rule> = { names: new Map(), patterns: new Map() }
  const patterns = problems.length === 0 ? compilePatterns(rules, place) : []
  if (problems.length === 0) addRules(rules, entries, place)
  return problems.length === 0 ? { kind: 'value', value: tableOf(entries, patterns) } : { kind: 'invalid', problems }
}

/** A name and a list of ALPN names of one rule may stand beside those of another under the same expression. */
interface Pattern {
  readonly key: string
  readonly pattern: NamePattern
}

function compilePatterns(rules: readonly RouteRule[], place: Place): readonly Pattern[] {
  const found = new Map<string, NamePattern>()
  let instructions = 0
  for (const [at, { sniPattern = [] }] of rules.entries()) {
    for (const [which, text] of sniPattern.entries()) {
      const compiled = found.has(text) ? undefined : compileNamePattern(text)
      if (compiled?.kind === 'value') {
        found.set(text, compiled.value)
        instructions += compiled.instructions
      }
      const why = compiled?.kind === 'invalid' ? compiled.why : whyTooMuch(found.size, instructions)
      if (compiled && why !== undefined) tell(into(into(into(place, at), 'sni_pattern'), which), why)
    }
  }
  return [...found].map(([key, pattern]) => ({ key, pattern }))
}

function whyTooMuch(count: number, instructions: number): string | undefined {
  if (count > mostPatterns) return `too many expressions: at most ${mostPatterns} in all routes`
  return instructions > mostInstructions
    ? `too much work for each name: at most ${mostInstructions} instructions in all expressions`
    : undefined
}

function checkRules(rules: readonly RouteRule[], place: Place): void {
  const names = new Set<string>()
  rules.forEach((rule, at) => {
    const here = into(place, at)
    if (names.has(rule.name)) tell(into(here, 'name'), `another route is named ${quoted(rule.name)}`)
    names.add(rule.name)
    checkRule(rule, here)
  })
}

function checkRule({ name, sni, sniPattern = [], noSni, alpn, tls, clientCertificate }: RouteRule, place: Place): void {
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name))
    tell(into(place, 'name'), 'expected 1 to 63 letters in lower case, digits, dots, hyphens and underscores')
  if (sni.length + sniPattern.length === 0 && !noSni)
    tell(into(place, 'sni'), 'expected a server name, or `no_sni: true`')
  sni.forEach((pattern, at) => {
    const why = whyNoPattern(pattern)
    if (why !== undefined) tell(into(into(place, 'sni'), at), why)
  })
  if (alpn) checkAlpn(alpn, into(place, 'alpn'))
  if (tls === 'passthrough' && clientCertificate)
    tell(into(place, 'client_ca'), 'a passthrough cannot demand one: TLS ends at the service')
}

function whyNoPattern(pattern: string): string | undefined {
  if (pattern === anyName) return undefined
  const name = pattern.startsWith('*.') ? pattern.slice(2) : pattern
  if (isAddressLiteral(name)) return `${quoted(pattern)} is an address: a hello that names one counts as without a name`
  if (name.includes('*')) return 'a wildcard stands for the first label only: `*.example.com`'
  if (parseHostName(name) === name) return undefined
  return `expected a host name in lower case without a trailing dot, not ${quoted(pattern)}`
}

function checkAlpn(alpn: readonly string[], place: Place): void {
  if (alpn.length === 0) tell(place, 'leave it out, or name what a client may offer')
  if (alpn.length > mostAlpn) tell(place, `too many: at most ${mostAlpn}`)
  alpn.forEach((name, at) => {
    if (name.length > longestAlpn || !/^[!-~]*$/.test(name))
      tell(into(place, at), `expected at most ${longestAlpn} printable characters without spaces`)
  })
}

function addRules<Rule extends RouteRule>(rules: readonly Rule[], entries: Entries<Rule>, place: Place): void {
  for (const [at, rule] of rules.entries()) {
    const here = into(place, at)
    for (const [which, name] of rule.sni.entries()) addName(rule, name, entries.names, into(into(here, 'sni'), which))
    for (const [which, pattern] of (rule.sniPattern ?? []).entries())
      addName(rule, pattern, entries.patterns, into(into(here, 'sni_pattern'), which))
    if (rule.noSni) addName(rule, withoutName, entries.names, into(here, 'no_sni'))
  }
}

/** Two rules that hold for the same hello would leave it to their order: refused instead. */
function addName<Rule extends RouteRule>(
  rule: Rule,
  key: string,
  entries: Map<string, Entry<Rule>>,
  place: Place,
): void {
  const entry: Entry<Rule> = entries.get(key) ?? { considered: [], byAlpn: new Map(), rest: undefined }
  entries.set(key, entry)
  const other = rule.alpn ? rule.alpn.map((name) => entry.byAlpn.get(name)).find(Boolean) : entry.rest
  if (other) tell(place, `route ${quoted(other.name)} holds for the same hellos`)
  if (rule.alpn) for (const name of rule.alpn) entry.byAlpn.set(name, rule)
  else entry.rest = rule
  entry.considered.push(rule.name)
}

/**
 * The most specific name that the table knows decides alone. Going on to a wildcard when its ALPN does not fit would let a
 * client leave a strict rule for a lax one by what it offers.
 */
function tableOf<Rule>({ names, patterns: spelled }: Entries<Rule>, patterns: readonly Pattern[]): RouteTable<Rule> {
  const [any, without] = [names.get(anyName), names.get(withoutName)]
  const found = namesOf(names)
  const entryOf = (sni: string): Entry<Rule> | undefined => {
    const at = found.table.find(sni)
    if (at >= 0) return found.entries[at]
    const first = patterns.find(({ pattern }) => pattern.matches(sni))
    return first ? spelled.get(first.key) : any
  }
  return {
    match({ sni, alpn }) {
      const entry = sni === undefined ? without : entryOf(sni)
      if (!entry) return refused(sni === undefined ? 'no_route_without_sni' : 'no_route_for_sni', [])
      const rule = offered(alpn, entry)
      return rule
        ? { kind: 'route', rule, considered: entry.considered }
        : refused('no_route_for_alpn', entry.considered)
    },
  }
}

/** Names of the same rules have one entry, which is then in the processor's caches whichever of them is asked for. */
function namesOf<Rule>(names: Entries<Rule>['names']) {
  const places = new Map<string, number>()
  const entries: Entry<Rule>[] = []
  const numbers = new Map<string, number>()
  for (const [name, entry] of names) {
    if (name === anyName || name === withoutName) continue
    const rules = entry.considered.join(' ')
    const at = places.get(rules) ?? entries.push(entry) - 1
    places.set(rules, at)
    numbers.set(name, at)
  }
  return { table: new NameTable(numbers), entries }
}

const refused = (why: RouteReason, considered: readonly string[]) => ({ kind: 'refused', why, considered }) as const

/** In the client's order, and both name and ALPN of the same rule; a rule for whatever is offered comes last. */
function offered<Rule>(alpn: readonly string[], { byAlpn, rest }: Entry<Rule>): Rule | undefined {
  if (alpn.length === 0) return byAlpn.get('') ?? rest
  for (const name of alpn) {
    const rule = byAlpn.get(name)
    if (rule) return rule
  }
  return rest
}
