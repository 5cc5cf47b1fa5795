/** The ALPN name by which a certificate authority looks at a challenge (RFC 8737). */
import type { RouteRule, RouteTable } from '../../core/route/table.ts'

export const acmeProtocol = 'acme-tls/1'

/** Whether a rule says of itself that it takes the hellos of certificate authorities. */
export const takesAcme = ({ alpn }: Pick<RouteRule, 'alpn'>): boolean => alpn?.includes(acmeProtocol) ?? false

/**
 * A route that names `acme-tls/1` wins for its name; then an open challenge; then a passthrough that takes whatever is offered, whose
 * service may answer challenges of its own. No other rule ever sees it.
 */
export function withChallenges<Rule extends RouteRule>(
  table: RouteTable<Rule>,
  ruleFor: (name: string) => Rule | undefined,
): RouteTable<Rule> {
  return {
    match(hello) {
      const routed = table.match(hello)
      if (!hello.alpn.includes(acmeProtocol)) return routed
      if (routed.kind === 'route' && takesAcme(routed.rule)) return routed
      const { considered } = routed
      // Section 3: who validates offers this one name.
      const isAlone = hello.alpn.length === 1 && hello.sni !== undefined
      const rule = isAlone ? ruleFor(hello.sni as string) : undefined
      if (rule) return { kind: 'route', rule, considered: [...considered, rule.name] }
      if (routed.kind === 'refused' || routed.rule.tls === 'passthrough') return routed
      return { kind: 'refused', why: 'no_route_for_alpn', considered }
    },
  }
}
