/**
 * HTTP/1.1 on connections whose TLS ended here, and HTTP/1.0 of some forward-proxy clients: what begins as CONNECT is read by our own strict
 * reader, everything else by node:http, which would read a CONNECT more leniently.
 */
import type { TLSSocket } from 'node:tls'
import type { Bearers } from './bearers.ts'
import { ConnectClient } from './connect-client.ts'
import type { Connection } from './connection.ts'
import { exporterOf } from './exporter.ts'
import type { HttpEnd } from './http.ts'
import type { OpeningNeeds } from './opening.ts'
import { shownToForwardProxy } from './word-grant.ts'

interface FirstRequestNeeds extends OpeningNeeds {
  readonly bearers: Bearers
  readonly http: HttpEnd
}

/** No other method that is taken here begins so. */
const firstOfConnect = 0x43

export const makeFirstRequest =
  (needs: FirstRequestNeeds) =>
  (connection: Connection, socket: TLSSocket): void => {
    connection.within(needs.world.limits.headMs, 'head_too_slow')
    const [gone, broken] = [() => connection.raw.destroy(), () => socket.destroy()]
    socket.on('error', broken).once('end', gone)
    socket.once('data', (first: Buffer) => {
      socket.off('end', gone).pause()
      socket.unshift(first)
      // What OpenSSL has decrypted already comes piece by piece, now: node:http reads past the socket's own buffer, so it must not begin before that.
      setImmediate(() => {
        if (socket.destroyed) return
        socket.off('error', broken)
        if (first[0] === firstOfConnect) takeConnect(needs, connection, socket)
        else needs.http.take(connection, socket)
        socket.resume()
      })
    })
  }

function takeConnect(needs: FirstRequestNeeds, connection: Connection, socket: TLSSocket): void {
  new ConnectClient(needs, connection, socket, {
    showing: (head) => shownToForwardProxy(needs, head, connection, exporterOf(socket)),
  })
}
