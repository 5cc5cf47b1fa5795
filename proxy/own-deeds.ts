/** What the proxy's own rules do with a hello, in words. Which resources there are is the cluster's to say, so no name is looked up. */
import { quoted } from '../core/access/place.ts'
import type { Described, NameReason } from '../core/route/explain.ts'
import type { RouteRule } from '../core/route/table.ts'
import { ownName, postgresName, serviceName, unsaidName } from './routes.ts'
import { serviceInWords, serviceProtocols } from './service-protocols.ts'

const byCertificate = (what: string): string =>
  `TLS ends here, and a client certificate with a grant opens a session on ${what}`

type Deed = (resource: string, agreed: string | undefined) => string

const deeds: Readonly<Record<string, Deed>> = {
  [ownName]: (_, agreed) =>
    agreed === 'sallyport-auth' ? 'TLS ends here, for the API alone' : 'TLS ends here, for sessions, pages and API',
  [postgresName]: (resource) => byCertificate(`${resource}, a db of protocol postgres`),
  [unsaidName]: (resource) => byCertificate(`${resource}, a db of protocol redis or mongodb: others need a protocol`),
  [serviceName]: (resource, agreed) => {
    const service = serviceProtocols.find((name) => name === agreed)
    return byCertificate(`${resource}, ${service ? serviceInWords[service] : 'a resource'}`)
  },
}

/** undefined: of a static route. */
export function ownDeed({ name, alpn }: RouteRule, hello: Described, reason: NameReason): string | undefined {
  const isBelow = reason === 'wildcard_name'
  const resource = isBelow ? quoted(hello.sni?.split('.', 1)[0] ?? '') : 'the one resource that the grant names'
  // Of several that are offered, what the proxy prefers.
  return deeds[name]?.(
    resource,
    alpn?.find((one) => hello.alpn.includes(one)),
  )
}
