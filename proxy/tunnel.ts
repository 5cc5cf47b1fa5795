/**
 * What is spoken under the ALPN name `sallyport`: a client asks which process of which proxy this is, waits while its user taps, and
 * shows the grant. Then the connection is a tunnel to one resource, and nothing else can come of it.
 */
import type { TLSSocket } from 'node:tls'
import type { RequestHead } from '../core/route/request-head.ts'
import { type AuthorizeNeeds, authenticate, openGrant, shownByConnect, shownForBearer } from './authorize.ts'
import { type Bearers, handleTtl } from './bearers.ts'
import { ConnectClient } from './connect-client.ts'
import type { Connection } from './connection.ts'
import { discoveryDocument, discoveryPath } from './discovery.ts'
import { exporterOf } from './exporter.ts'
import type { HostKind } from './hosts.ts'
import type { OpeningNeeds } from './opening.ts'
import type { Waiting } from './waiting.ts'

export interface TunnelNeeds extends AuthorizeNeeds, OpeningNeeds {
  readonly publicUrl: URL
  readonly kindOf: (host: string) => HostKind | undefined
  readonly waiting: Waiting
  readonly bearers: Bearers
}

export interface TunnelEnd {
  take(connection: Connection, socket: TLSSocket): void
}

export const bearerPath = `${discoveryPath}/bearer`

export function makeTunnelEnd(needs: TunnelNeeds): TunnelEnd {
  return {
    take: (connection, socket) => {
      const exporter = exporterOf(socket)
      if (exporter === undefined) return connection.refuse('tls_too_old')
      connection.within(needs.world.limits.headMs, 'head_too_slow')
      new Client(needs, connection, socket, exporter)
    },
  }
}

/** One connection. */
class Client {
  readonly #needs: TunnelNeeds
  readonly #connection: Connection
  readonly #socket: TLSSocket
  readonly #exporter: string
  readonly #client: ConnectClient

  constructor(needs: TunnelNeeds, connection: Connection, socket: TLSSocket, exporter: string) {
    this.#needs = needs
    this.#connection = connection
    this.#socket = socket
    this.#exporter = exporter
    this.#client = new ConnectClient(needs, connection, socket, {
      showing: (head) => {
        needs.waiting.leave(connection)
        return shownByConnect(needs, head, exporter)
      },
      request: (head) => void this.#request(head),
    })
  }

  async #request(head: RequestHead): Promise<void> {
    const { method, target, host, authorization, dpop } = head
    const { kindOf, world } = this.#needs
    const { answers } = this.#client
    if (target === bearerPath) return this.#bearer(head)
    if (target !== discoveryPath) return answers.refuse('nothing_here')
    if (method !== 'GET') return answers.refuse('method_not_allowed')
    if (kindOf(host) === undefined) return answers.refuse('host_unknown')
    if (authorization === undefined) {
      this.#connection.within(world.limits.idleMs + world.limits.headMs, 'head_too_slow')
      return this.#answer({})
    }
    this.#connection.within(world.limits.grantMs, 'grant_too_slow')
    const shown = { proof: dpop, exporter: this.#exporter }
    try {
      const { userId } = await authenticate(this.#needs, authorization, shown, `sallyport://${host}${discoveryPath}`)
      if (this.#socket.destroyed) return
      if (!this.#needs.waiting.take(userId, this.#connection)) return answers.refuse('waiting_too_many')
      this.#connection.leavePlace()
      this.#connection.within(world.limits.waitingMs, 'waited_too_long')
      const { id, boot } = this.#needs.identity
      this.#answer({ id, boot })
    } catch (error) {
      answers.refuseFor(error, { 'WWW-Authenticate': 'DPoP algs="ES256 EdDSA"' })
    }
  }

  /** A word for a client that can prove no key, once this program has shown its grant and proven its own. */
  async #bearer(head: RequestHead): Promise<void> {
    const { answers } = this.#client
    if (head.method !== 'POST') return answers.refuse('method_not_allowed')
    const { world, bearers } = this.#needs
    const { address } = this.#connection
    this.#connection.within(world.limits.grantMs, 'grant_too_slow')
    const shown = shownForBearer(this.#needs, head, { exporter: this.#exporter, path: bearerPath })
    try {
      const grant = await shown.read()
      const target = grant.subject.resource.name
      const { use } = await openGrant(this.#needs, grant, { ...shown, target }, address)
      const handle = bearers.issue({ grant, key: grant.clientKey, use, address })
      this.#client.answerLast({ handle, expires_in: handleTtl / 1000 })
    } catch (error) {
      answers.refuseFor(error)
    }
  }

  #answer(more: object): void {
    this.#client.answer({ ...discoveryDocument(this.#needs.publicUrl), ...more })
  }
}
