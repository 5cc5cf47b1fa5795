/**
 * Requests to cancel a query. A client sends one on a connection of its own, with nothing but the key that the server gave it; here it
 * finds the server of the session that was given that key, as long as the session lives.
 */
import type { Duplex } from 'node:stream'
import { base64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import type { Connection } from './connection.ts'
import type { World } from './exchange.ts'

export interface Cancels {
  /** `key`: BackendKeyData. `reach`: a new connection to that very server. A function that forgets it. */
  remember(key: Uint8Array, reach: (signal: AbortSignal) => Promise<Duplex>): () => void
  /** `client`: the connection itself, or what came out of its TLS. */
  take(connection: Connection, request: Uint8Array, client: Duplex): void
}

interface Kept {
  readonly reach: (signal: AbortSignal) => Promise<Duplex>
  /** One at a time: a flood of them would be one of connections to the server. */
  isBusy: boolean
}

/** Found by its hash, so that how long it takes tells nothing of the keys that there are. */
const nameOf = (key: Uint8Array): string => base64url(sha256(key))
/** Length and code. */
const headBytes = 8

export function makeCancels({ limits, log }: Pick<World, 'limits' | 'log'>): Cancels {
  const kept = new Map<string, Kept>()
  return {
    remember: (key, reach) => {
      const name = nameOf(key)
      // Two servers gave out the same: it would be guessed which is meant.
      if (kept.has(name)) return () => undefined
      kept.set(name, { reach, isBusy: false })
      return () => void kept.delete(name)
    },
    take: (connection, request, client) => {
      const found = kept.get(nameOf(request.subarray(headBytes)))
      if (!found || found.isBusy) return connection.refuse('postgres_cancel_unknown')
      found.isBusy = true
      connection.within(2 * limits.dialMs, 'cancel_too_slow')
      passOn(found, request, client, limits.dialMs)
        .catch((error: Error) => log({ level: 'warn', message: 'cannot cancel', detail: error.message }))
        .finally(() => {
          found.isBusy = false
          // The client waits for that: then the server has heard it.
          client.once('close', () => connection.raw.destroy()).end()
          client.resume()
        })
    },
  }
}

/** Until the server has ended the connection, which is all that it answers. */
async function passOn({ reach }: Kept, request: Uint8Array, client: Duplex, patienceMs: number): Promise<void> {
  const late = AbortSignal.timeout(patienceMs)
  const server = await reach(late)
  const over = new Promise<void>((done) => server.once('close', done).once('end', done))
  const leave = () => server.destroy()
  late.addEventListener('abort', leave, { once: true })
  client.once('close', leave)
  server.on('error', leave).resume()
  server.write(request)
  await over
  late.removeEventListener('abort', leave)
  server.destroy()
}
