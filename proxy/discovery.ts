/** What a client learns from the proxy before anything else: whose it is, and how it may be spoken to. */
import type { Exchange } from './exchange.ts'

/** Of package.json. */
export const version = '0.1.0'

export const discoveryPath = '/.well-known/sallyport'

export function answerDiscovery(exchange: Exchange, publicUrl: URL): void {
  const { method } = exchange.request
  const document = { issuer: publicUrl.origin, methods: ['tls'], version }
  if (method === 'GET' || method === 'HEAD') exchange.answer(200, document)
  else exchange.refuse('method_not_allowed', { headers: { Allow: 'GET, HEAD' } })
}
