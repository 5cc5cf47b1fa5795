/** Hands each hello to what its rule says. What no rule takes is refused with an alert. */
import { printable } from '../core/access/place.ts'
import type { Hello } from '../core/route/hello.ts'
import type { RouteReason, RouteRule, RouteTable } from '../core/route/table.ts'
import type { Connection } from './connection.ts'
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
export const alertBytes = (description: number) => new Uint8Array([21, 3, 3, 0, 2, 2, description])

const longestDetail = 200

export function dispatch(table: RouteTable<Taking>, connection: Connection, hello: Hello): void {
  const routed = table.match(hello)
  const { sni } = hello
  const alpn = printable(hello.alpn.join(','), longestDetail)
  connection.note({ sni, ...(hello.alpn.length > 0 && { alpn }), route_ms: connection.age })
  if (routed.kind === 'route') {
    connection.note({ route: routed.rule.name })
    return void routed.rule.take(connection, hello)
  }
  const { why } = routed
  const detail = why === 'no_route_for_alpn' ? hello.alpn.join(',') : hello.sni
  connection.refuse(routeCodes[why], detail && printable(detail, longestDetail), alertBytes(alerts[why]))
}
