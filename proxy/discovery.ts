/** What a client learns from the proxy before anything else: whose it is, and how it may be spoken to. */
import type { Exchange } from './exchange.ts'

/** Of package.json. */
export const version = '0.1.0'

export const discoveryPath = '/.well-known/sallyport'

/** Whoever shows a token is told more (proxy/tunnel.ts). */
export const discoveryDocument = (publicUrl: URL) => ({ issuer: publicUrl.origin, methods: ['tls'], version })

export function answerDiscovery(exchange: Exchange, publicUrl: URL): void {
  const { method } = exchange.request
  if (method === 'GET' || method === 'HEAD') exchange.answer(200, discoveryDocument(publicUrl))
  else exchange.refuse('method_not_allowed', { headers: { Allow: 'GET, HEAD' } })
}
