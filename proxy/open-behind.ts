/** A session behind TLS that ended here, of a client that has shown its grant with the handshake or a moment later. */
import type { TLSSocket } from 'node:tls'
import type { Showing } from './authorize.ts'
import type { Connection } from './connection.ts'
import { Opening, type OpeningNeeds } from './opening.ts'
import type { FirstMessage } from './postgres.ts'

/** Two directions that end each for itself. Errors are followed by `close`. */
export function letHalfOpen({ raw }: Connection, socket: TLSSocket): void {
  socket.allowHalfOpen = true
  raw.allowHalfOpen = true
  socket.on('error', () => socket.destroy())
}

/** Until the session is over. `first`: what a Postgres client has said. @throws Refusal, DialFailure before it is open */
export async function openBehind(
  needs: OpeningNeeds,
  connection: Connection,
  socket: TLSSocket,
  show: () => Promise<Showing>,
  first?: FirstMessage,
): Promise<void> {
  const { limits } = needs.world
  connection.within(limits.grantMs + limits.dialMs, 'grant_too_slow')
  connection.inFlight++
  socket.once('close', () => {
    connection.inFlight--
    connection.endIfDone()
  })
  const opening = new Opening(needs, connection, socket)
  const gone = () => opening.abandon()
  socket.once('close', gone)
  await opening.open(await show(), () => connection.withoutDeadline())
  socket.off('close', gone)
  await opening.run(first)
}
