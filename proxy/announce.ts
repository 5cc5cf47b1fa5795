/** What a service behind a route with `send_proxy: v2` is told of its client, in front of the client's first byte. */
import { utf8 } from '../core/lib/bytes.ts'
import type { Hello } from '../core/route/hello.ts'
import { encodeProxyV2 } from '../core/route/proxy-header.ts'
import type { Connection } from './connection.ts'

/**
 * `agreed`: the protocol where TLS ended here, '' for none; undefined: it passes through, and the service chooses. Then it is told
 * what is offered only where that leaves one choice. The unique id is the connection's own, as it stands in the log.
 */
export function announcement(
  connection: Connection,
  { sni, alpn }: Pick<Hello, 'sni' | 'alpn'>,
  agreed: string | undefined,
): Uint8Array {
  const { raw, address, id } = connection
  const chosen = agreed ?? (alpn.length === 1 ? alpn[0] : '')
  return encodeProxyV2({
    source: { address, port: raw.remotePort ?? 0 },
    destination: { address: raw.localAddress ?? address, port: raw.localPort ?? 0 },
    ...(chosen && isText(chosen) && { alpn: chosen }),
    ...(sni !== undefined && { authority: sni }),
    uniqueId: utf8(id),
  })
}

/** Names that are no text stand in a hello as hex (core/route/hello-extensions.ts): such as those that clients only try us with. */
const isText = (name: string): boolean => !/^(?:[0-9a-f]{2})+$/.test(name)
