/**
 * Services with no helper: TLS ends here, the client's certificate carries its grant, and the service's own bytes follow at once. The name
 * that the client dials is that of the resource, below the proxy's; or the proxy's own, and the grant alone says which resource.
 */
import type { TLSSocket } from 'node:tls'
import type { Hello } from '../core/route/hello.ts'
import type { AuthorizeNeeds } from './authorize.ts'
import type { CertificateFor } from './certificate-book.ts'
import { shownByCertificate } from './certificate-grant.ts'
import type { ServerCertificate } from './certificates.ts'
import type { Connection } from './connection.ts'
import { alertBytes, type Taking } from './dispatch.ts'
import type { NamedResources } from './named-resources.ts'
import { letHalfOpen, openBehind } from './open-behind.ts'
import type { OpeningNeeds } from './opening.ts'
import { refusalInLog } from './refusal-in-log.ts'
import type { ResourceCertificates } from './resource-certificates.ts'
import type { RoutedRules } from './routes.ts'
import { type Fits, fitsOf, needsNoProtocol } from './service-protocols.ts'
import { makeTlsEnd } from './tls.ts'

export interface ServiceNeeds extends AuthorizeNeeds, OpeningNeeds {
  readonly certificates: ResourceCertificates
  readonly named: NamedResources
  /** The proxy's own server names: resources lie below each. */
  readonly names: ReadonlySet<string>
  /** What is shown under those. */
  readonly certificateFor: CertificateFor
}

/** What a handshake has settled. `target`: the resource that was named, if any was. */
export interface Settled {
  readonly target: string | undefined
  readonly fits: Fits
}

export type TakePostgres = (connection: Connection, socket: TLSSocket, settled: Settled) => void

export interface ServiceEnd {
  /** Under `sallyport-…`. */
  readonly agreed: Taking
  /** Of clients that offer no protocol. */
  readonly unsaid: Taking
  /** The proxy's own certificate was renewed. */
  renew(certificate: ServerCertificate): void
}

export function makeServiceEnd(
  needs: ServiceNeeds,
  certificate: ServerCertificate,
  rules: Pick<RoutedRules, 'services' | 'unsaid'>,
  takePostgres: TakePostgres,
): ServiceEnd {
  const { names, certificates, certificateFor } = needs
  const ending = ({ alpn }: Pick<RoutedRules['services'], 'alpn'>) =>
    makeTlsEnd(certificate, {
      alpn,
      asksCertificate: true,
      certificateFor: (name) => (names.has(name) ? certificateFor(name) : certificates.certificateFor(name)),
      take: (connection, socket, { sni }) => {
        const settled = { target: targetOf(sni, names), fits: fitsOf(socket.alpnProtocol) }
        if (socket.alpnProtocol === 'sallyport-postgres') takePostgres(connection, socket, settled)
        else void serve(needs, connection, socket, settled)
      },
    })
  const [agreed, unsaid] = [ending(rules.services), ending(rules.unsaid)]
  return {
    agreed: { ...rules.services, take: (connection, hello) => void takeNamed(needs, connection, hello, agreed.take) },
    unsaid: {
      ...rules.unsaid,
      take: async (connection, hello) => {
        const resource = await needs.named.find(hello.sni ?? '')
        if (resource && needsNoProtocol(resource)) void takeNamed(needs, connection, hello, unsaid.take)
        else connection.refuse('application_protocol_unknown', undefined, alertBytes(noApplicationProtocol))
      },
    },
    renew: agreed.renew,
  }
}

/** RFC 6066 section 3, RFC 7301 section 3.2. */
const [unrecognizedName, noApplicationProtocol] = [112, 120]

/** `serverName`: as it was routed. The first label: the rest is a name of the proxy, as the rule has it. */
export const targetOf = (serverName: string | undefined, names: ReadonlySet<string>): string | undefined =>
  serverName === undefined || names.has(serverName) ? undefined : serverName.split('.', 1)[0]

/** Of what is no resource there is no certificate either. Which kind it is shows only whoever has a grant. */
export async function takeNamed(
  { named, names, certificates }: Pick<ServiceNeeds, 'named' | 'names' | 'certificates'>,
  connection: Connection,
  hello: Hello,
  take: Taking['take'],
): Promise<void> {
  const { sni } = hello
  const isOwn = sni === undefined || names.has(sni)
  if (isOwn || ((await named.find(sni)) && (await certificates.certificateFor(sni)))) take(connection, hello)
  else connection.refuse('server_name_unknown', undefined, alertBytes(unrecognizedName))
}

async function serve(
  needs: ServiceNeeds,
  connection: Connection,
  socket: TLSSocket,
  { target, fits }: Settled,
): Promise<void> {
  letHalfOpen(connection, socket)
  try {
    await openBehind(needs, connection, socket, () => shownByCertificate(needs, socket, target, fits))
  } catch (error) {
    if (!socket.destroyed) end(needs, connection, socket, error)
  }
}

/** The protocol has no place for words, and the reasons look the same from outside. */
function end({ world }: ServiceNeeds, connection: Connection, socket: TLSSocket, error: unknown): void {
  const { address, id } = connection
  const { code, detail } = refusalInLog(error, world.log)
  connection.note({ code, detail })
  world.log({ level: 'info', message: 'service refused', code, detail, connection: id, address })
  connection.within(world.limits.idleMs, 'client_stalled')
  // What was not read of it would make the kernel reset the connection.
  socket.resume().end(() => socket.destroy())
}
