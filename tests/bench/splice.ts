/**
 * TLS passed through by its server name: connections a second, bulk, round trips, and what they cost the proxy, beside HAProxy and
 * nginx. No handshake takes place: a client sends a recorded ClientHello of Chrome's form, and goes on in the clear with a backend that
 * reads the hello too. That is all a proxy sees of a passthrough, and neither end spends time on cryptography.
 */
import { comparePlanes } from './plane/benchmark.ts'
import type { Contender } from './plane/contender.ts'
import { haproxyOf, nginxOf } from './plane/peers.ts'
import { passthrough } from './plane/sallyport.ts'

const direct: Contender = {
  name: 'direct',
  setup: 'no proxy: the most that load and backend can do',
  start: async ({ backend }) => ({
    server: undefined,
    reach: async () => ({ by: 'hello', port: backend }),
    stop: async () => undefined,
  }),
}

const plan = {
  benchmark: 'splice',
  ours: passthrough,
  others: [
    direct,
    haproxyOf('hello'),
    haproxyOf('hello', 'haproxy_splice_auto'),
    haproxyOf('hello', 'haproxy_splice'),
    nginxOf('hello'),
    nginxOf('hello', 'nginx_large_buffers'),
  ],
  /** Our proxy lets 64 of one network wait undecided. */
  concurrency: 32,
  /** A proxy with 16,384 descriptors has room for so many relays of one network (proxy/descriptors.ts). */
  idle: 500,
  differences: [
    'Sallyport writes a log line for each connection; HAProxy and nginx log nothing.',
    'haproxy_splice and nginx_large_buffers are the best setups that are known of them in bulk, haproxy and nginx their defaults.',
  ],
}

export const splice = (args: readonly string[]): Promise<unknown> => comparePlanes(plan, args)
