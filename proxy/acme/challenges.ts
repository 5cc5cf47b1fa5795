/**
 * The open challenges of this process (RFC 8737): a hello with the ALPN name `acme-tls/1` is answered for exactly the name that a
 * certificate authority is asked to look at, exactly as long, with the challenge's certificate and nothing behind it.
 */
import type { RouteRule } from '../../core/route/table.ts'
import type { ServerCertificate } from '../certificates.ts'
import type { Taking } from '../dispatch.ts'
import type { Log } from '../log.ts'
import { makeTlsEnd } from '../tls.ts'
import { acmeProtocol } from './protocol.ts'

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
