/** Hands each accepted connection to what its hello's rule says. What no rule takes is refused with an alert. */
import { printable } from '../core/access/place.ts'
import type { Hello, HelloLimits } from '../core/route/hello.ts'
import type { RouteReason, RouteRule, RouteTable } from '../core/route/table.ts'
import type { Connection } from './connection.ts'
import { peek } from './peek.ts'
import { routeCodes } from './reasons.ts'

export interface Taking extends RouteRule {
  /** The connection's next byte is the hello's first. */
  take(connection: Connection, hello: Hello): void
}

/** TLS alerts: RFC 7301 section 3.2, RFC 6066 section 3, RFC 8446 section 9.2. */
const alerts: { readonly [why in RouteReason]: number } = {
  no_route_for_alpn: 120,
  no_route_for_sni: 112,
  no_route_without_sni: 109,
}

/** Fatal (2), and in the clear, since no key is agreed yet. */
const alertBytes = (description: number) => new Uint8Array([21, 3, 3, 0, 2, 2, description])

const longestDetail = 200

export const makeDispatch =
  (table: RouteTable<Taking>, limits?: HelloLimits) =>
  (connection: Connection): void => {
    const take = (hello: Hello) => {
      const routed = table.match(hello)
      const { sni } = hello
      const alpn = printable(hello.alpn.join(','), longestDetail)
      connection.note({ sni, ...(hello.alpn.length > 0 && { alpn }), route_ms: connection.age })
      if (routed.kind === 'route') connection.note({ route: routed.rule.name })
      if (routed.kind === 'route') return routed.rule.take(connection, hello)
      const { why } = routed
      const detail = why === 'no_route_for_alpn' ? hello.alpn.join(',') : hello.sni
      connection.refuse(routeCodes[why], detail && printable(detail, longestDetail), alertBytes(alerts[why]))
    }
    peek(connection, take, limits)
  }
