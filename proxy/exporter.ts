/** What the two ends of one TLS connection alone know: proofs name it, so that they are of no use on another. */
import type { TLSSocket } from 'node:tls'
import { base64url } from '../core/lib/bytes.ts'

/** DESIGN, "ALPN names". In TLS 1.3 no context and an empty one are the same (RFC 8446 section 7.5). */
const exporterLabel = 'EXPORTER-sallyport'

/** base64url. undefined: before 1.3 it can be the same on two connections (RFC 7627); a resumed session may be another client's. */
export function exporterOf(socket: TLSSocket): string | undefined {
  if (socket.getProtocol() !== 'TLSv1.3' || socket.isSessionReused()) return undefined
  return base64url(socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0)))
}
