/**
 * The open challenges of this process (RFC 8737): a hello with the ALPN name `acme-tls/1` is answered for exactly the name that a
 * certificate authority is asked to look at, exactly as long, with the challenge's certificate and nothing behind it.
 */
import type { RouteRule, RouteTable } from '../../core/route/table.ts'
import type { ServerCertificate } from '../certificates.ts'
import type { Taking } from '../dispatch.ts'
import type { Log } from '../log.ts'
import { makeTlsEnd } from '../tls.ts'
import { acmeProtocol, takesAcme } from './protocol.ts'

const ruleName = 'acme'

export class Challenges {
  readonly #log: Log
  readonly #open = new Map<string, Taking>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Answers how to close it. */
  open(name: string, certificate: ServerCertificate): () => void {
    const end = makeTlsEnd(certificate, {
      alpn: [acmeProtocol],
      // The handshake was the answer (section 3): no byte is read or sent behind it.
      take: ({ address }, socket) => {
        this.#log({ level: 'info', message: 'acme challenge shown', name, address })
        socket.on('error', () => socket.destroy()).end()
        socket.resume().once('end', () => socket.destroy())
      },
    })
    const rule: Taking = { ...ruleOf(name), take: end.take }
    this.#open.set(name, rule)
    return () => {
      if (this.#open.get(name) === rule) this.#open.delete(name)
    }
  }

  ruleFor(name: string): Taking | undefined {
    return this.#open.get(name)
  }
}

const ruleOf = (name: string): RouteRule => ({
  name: ruleName,
  sni: [name],
  noSni: false,
  alpn: [acmeProtocol],
  tls: 'terminate',
  clientCertificate: false,
})

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
