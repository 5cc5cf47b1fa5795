/**
 * What Postgres clients say in the clear, before TLS: they ask for it, or for something that is not here. Nothing is known of whoever
 * sends it, so it is read by length and code alone, and the deadline of the handshake stands.
 */
import { postgresError, postgresNo, postgresTls } from '../core/route/postgres.ts'
import type { Cancels } from './cancels.ts'
import type { Connection } from './connection.ts'
import type { Taker } from './first-bytes.ts'
import { type FirstMessage, readFirst } from './postgres.ts'

interface Needs {
  /** Whoever asked for TLS: the connection's next byte is the hello's first. */
  readonly secured: (connection: Connection) => void
  readonly cancels: Pick<Cancels, 'take'>
}

/** The connection's next byte is its first. */
export const makePostgresFront =
  (needs: Needs): Taker =>
  (connection) =>
    void answer(needs, connection, true)

const wordsInClear = 'This server takes Postgres over TLS alone: connect with sslmode=verify-full.'

/** `mayAskGss`: not again after it was told no. */
async function answer(needs: Needs, connection: Connection, mayAskGss: boolean): Promise<void> {
  const { raw } = connection
  const message = await readFirst(raw)
  if (message === undefined) return connection.refuse('client_gone')
  if (typeof message === 'string') return connection.refuse('plain_postgres', message)
  const { first, bytes } = message
  if (first.kind === 'startup') {
    return connection.refuse('plain_postgres', undefined, postgresError('invalidAuthorization', wordsInClear))
  }
  if (!isAlone(message)) return connection.refuse('postgres_early_bytes')
  if (first.kind === 'cancel') return needs.cancels.take(connection, bytes, raw)
  if (first.kind === 'gssenc') {
    if (!mayAskGss) return connection.refuse('plain_postgres', 'GSSENCRequest twice')
    raw.write(postgresNo)
    return answer(needs, connection, false)
  }
  raw.write(postgresTls)
  needs.secured(connection)
}

/** What came with a request was sent before the answer, in the clear, by who knows whom: it must not count as sent in TLS (CVE-2021-23214). */
const isAlone = ({ bytes }: FirstMessage): boolean =>
  bytes.length === new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
