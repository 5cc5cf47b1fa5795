/** What `sallyport-proxy explain` answers about a hello that somebody describes: read and routed as one from the wire. */
import { utf8 } from '../lib/bytes.ts'
import type { HelloReason } from './hello.ts'
import { alpnText, mostAlpn, readName } from './hello-extensions.ts'
import { compileNamePattern } from './name-pattern.ts'
import type { RouteReason, RouteRule, RouteTable } from './table.ts'

/** As a client sends them: no name is no extension. */
export interface Described {
  readonly sni: string | undefined
  readonly alpn: readonly string[]
}

/** How a rule came by a name. */
export type NameReason = 'exact_name' | 'wildcard_name' | 'pattern_name' | 'any_name' | 'no_name'

export type Explained<Rule> =
  | {
      readonly kind: 'route'
      readonly rule: Rule
      readonly reason: NameReason
      readonly hello: Described
      readonly considered: readonly string[]
    }
  | {
      readonly kind: 'refused'
      readonly reason: RouteReason
      readonly hello: Described
      readonly considered: readonly string[]
    }
  /** No hello that is read has these. */
  | { readonly kind: 'invalid'; readonly reason: HelloReason }

const longestAlpn = 255

export function explain<Rule extends RouteRule>(table: RouteTable<Rule>, described: Described): Explained<Rule> {
  const hello = readAsHello(described)
  if (typeof hello === 'string') return { kind: 'invalid', reason: hello }
  const routed = table.match(hello)
  const { considered } = routed
  return routed.kind === 'route'
    ? { kind: 'route', rule: routed.rule, reason: nameReason(routed.rule, hello.sni), hello, considered }
    : { kind: 'refused', reason: routed.why, hello, considered }
}

function readAsHello({ sni, alpn }: Described): Described | HelloReason {
  const read = sni === undefined ? { name: undefined } : readName(sni)
  if (typeof read === 'string') return read
  const names = alpn.map(utf8)
  if (names.length > mostAlpn) return 'alpn_too_many'
  if (names.some(({ length }) => length === 0)) return 'alpn_empty_name'
  if (names.some(({ length }) => length > longestAlpn)) return 'alpn_malformed'
  return { sni: read.name, alpn: names.map((name) => alpnText(name)) }
}

/** The most specific spelling that the rule has is the one that decided (core/route/table.ts). */
function nameReason({ sni, sniPattern = [] }: RouteRule, name: string | undefined): NameReason {
  if (name === undefined) return 'no_name'
  if (sni.includes(name)) return 'exact_name'
  const dot = name.indexOf('.')
  if (dot >= 0 && sni.includes(`*${name.slice(dot)}`)) return 'wildcard_name'
  return patternOf(sniPattern, name) === undefined ? 'any_name' : 'pattern_name'
}

/** The expression that stands for a name. */
export const patternOf = (sniPattern: readonly string[], name: string): string | undefined =>
  sniPattern.find((text) => {
    const compiled = compileNamePattern(text)
    return compiled.kind === 'value' && compiled.value.matches(name)
  })
