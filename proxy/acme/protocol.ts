/** The ALPN name by which a certificate authority looks at a challenge (RFC 8737). */
import type { RouteRule } from '../../core/route/table.ts'

export const acmeProtocol = 'acme-tls/1'

/** Whether a rule says of itself that it takes the hellos of certificate authorities. */
export const takesAcme = ({ alpn }: Pick<RouteRule, 'alpn'>): boolean => alpn?.includes(acmeProtocol) ?? false
