/**
 * TLS ended at the proxy, and bytes passed on to a plain backend. Ours is the whole way of a session: TLS 1.3 with ALPN `sallyport`,
 * discovery with a token, CONNECT with a grant for this process, a tap and a proof of this connection; then PostgreSQL's own
 * startup. HAProxy and nginx end TLS and ask for nothing else. Grants are made before a stretch, and their making is not measured.
 */
import { comparePlanes } from './plane/benchmark.ts'
import { haproxyOf, nginxOf } from './plane/peers.ts'
import { sessions } from './plane/sallyport.ts'

const plan = {
  benchmark: 'tunnel',
  ours: sessions,
  others: [
    haproxyOf('tls'),
    haproxyOf('tls', 'haproxy_large_buffers'),
    nginxOf('tls'),
    nginxOf('tls', 'nginx_large_buffers'),
  ],
  /** As many as may wait for the taps of one user. */
  concurrency: 4,
  idle: 250,
  differences: [
    'HAProxy and nginx check no grant, token or tap, and tell nobody of a session: their openings are a floor for ours, not the same work.',
    'Sallyport follows the messages of PostgreSQL, logs each session, and tells its edge of its beginning and end, on the same cores.',
    'TLS 1.3 for all: one P-256 certificate, X25519, AES-128-GCM, no resumption.',
  ],
}

export const tunnel = (args: readonly string[]): Promise<unknown> => comparePlanes(plan, args)
