/**
 * What is spoken under the ALPN name `sallyport`: a client asks which process of which proxy this is, waits while its user taps, and
 * shows the grant. Then the connection is a tunnel to one resource, and nothing else can come of it.
 */
import type { TLSSocket } from 'node:tls'
import { base64url } from '../core/lib/bytes.ts'
import { Refusal } from '../core/refusal.ts'
import { type ConnectHead, connectEstablished } from '../core/route/connect.ts'
import type { RequestHead } from '../core/route/request-head.ts'
import { type AuthorizeNeeds, authenticate, openGrant, shownByConnect, shownForBearer } from './authorize.ts'
import { type Bearers, handleTtl } from './bearers.ts'
import type { Connection } from './connection.ts'
import { discoveryDocument, discoveryPath } from './discovery.ts'
import { answerBytes, Heads } from './heads.ts'
import type { HostKind } from './hosts.ts'
import { Opening, type OpeningNeeds } from './opening.ts'
import { type RefusalCode, refusals } from './reasons.ts'
import { DialFailure } from './upstream.ts'
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
/** DESIGN, "ALPN names". In TLS 1.3 no context and an empty one are the same (RFC 8446 section 7.5). */
const exporterLabel = 'EXPORTER-sallyport'

export function makeTunnelEnd(needs: TunnelNeeds): TunnelEnd {
  return {
    take: (connection, socket) => {
      // Before 1.3 an exporter can be the same on two connections (RFC 7627); a resumed session may be another client's.
      const isOfThis = socket.getProtocol() === 'TLSv1.3' && !socket.isSessionReused()
      if (isOfThis) new Client(needs, connection, socket).begin()
      else connection.refuse('tls_too_old')
    },
  }
}

/** One connection. */
class Client {
  readonly #needs: TunnelNeeds
  readonly #connection: Connection
  readonly #socket: TLSSocket
  readonly #exporter: string
  readonly #heads: Heads
  #opening: Opening | undefined

  constructor(needs: TunnelNeeds, connection: Connection, socket: TLSSocket) {
    this.#needs = needs
    this.#connection = connection
    this.#socket = socket
    this.#exporter = base64url(socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0)))
    this.#heads = new Heads(socket, {
      head: (one) => (one.kind === 'connect' ? void this.#connect(one.head) : void this.#request(one.head)),
      malformed: (why) => this.#refuse('head_malformed', why),
      early: () => {
        this.#opening?.abandon()
        connection.refuse('bytes_too_early')
      },
      gone: () => {
        this.#opening?.abandon()
        connection.raw.destroy()
      },
    })
  }

  begin(): void {
    const { limits } = this.#needs.world
    // A tunnel's two directions end each for itself.
    this.#socket.allowHalfOpen = true
    this.#connection.raw.allowHalfOpen = true
    this.#socket.on('error', () => this.#socket.destroy())
    this.#connection.within(limits.headMs, 'head_too_slow')
  }

  async #request(head: RequestHead): Promise<void> {
    const { method, target, host, authorization, dpop } = head
    const { kindOf, world } = this.#needs
    if (target === bearerPath) return this.#bearer(head)
    if (target !== discoveryPath) return this.#refuse('nothing_here')
    if (method !== 'GET') return this.#refuse('method_not_allowed')
    if (kindOf(host) === undefined) return this.#refuse('host_unknown')
    if (authorization === undefined) {
      this.#connection.within(world.limits.idleMs + world.limits.headMs, 'head_too_slow')
      return this.#answer({})
    }
    this.#connection.within(world.limits.grantMs, 'grant_too_slow')
    const shown = { proof: dpop, exporter: this.#exporter }
    try {
      const { userId } = await authenticate(this.#needs, authorization, shown, `sallyport://${host}${discoveryPath}`)
      if (this.#socket.destroyed) return
      if (!this.#needs.waiting.take(userId, this.#connection)) return this.#refuse('waiting_too_many')
      this.#connection.leavePlace()
      this.#connection.within(world.limits.waitingMs, 'waited_too_long')
      const { id, boot } = this.#needs.identity
      this.#answer({ id, boot })
    } catch (error) {
      this.#refuseFor(error, { 'WWW-Authenticate': 'DPoP algs="ES256 EdDSA"' })
    }
  }

  /** A word for the password's place of a client that has no certificate, once this program has shown its grant and proven its key. */
  async #bearer(head: RequestHead): Promise<void> {
    if (head.method !== 'POST') return this.#refuse('method_not_allowed')
    const { world, bearers } = this.#needs
    const { address } = this.#connection
    this.#connection.within(world.limits.grantMs, 'grant_too_slow')
    const shown = shownForBearer(this.#needs, head, { exporter: this.#exporter, path: bearerPath })
    try {
      const grant = await shown.read()
      const { resource } = grant.subject
      const { use } = await openGrant(this.#needs, grant, { ...shown, target: resource.name }, address)
      if (resource.kind !== 'db') throw new Refusal('grant_invalid', { why: 'no database' })
      const handle = bearers.issue({ grant, key: grant.clientKey, use, address })
      this.#heads.next()
      const body = { handle, expires_in: handleTtl / 1000 }
      this.#socket.end(answerBytes(200, body, true), () => this.#socket.destroy())
    } catch (error) {
      this.#refuseFor(error)
    }
  }

  #answer(more: object): void {
    this.#heads.next()
    this.#socket.write(answerBytes(200, { ...discoveryDocument(this.#needs.publicUrl), ...more }, false))
  }

  async #connect(head: ConnectHead): Promise<void> {
    const { world, waiting } = this.#needs
    waiting.leave(this.#connection)
    this.#connection.within(world.limits.grantMs + world.limits.dialMs, 'grant_too_slow')
    this.#connection.inFlight++
    this.#socket.once('close', () => {
      this.#connection.inFlight--
      this.#connection.endIfDone()
    })
    const opening = new Opening(this.#needs, this.#connection, this.#socket)
    this.#opening = opening
    try {
      const showing = shownByConnect(this.#needs, head, this.#exporter)
      await opening.open(showing, () => this.#becomeTunnel())
      await opening.run()
    } catch (error) {
      if (!this.#socket.destroyed) this.#refuseFor(error)
    }
  }

  #becomeTunnel(): void {
    this.#heads.release()
    this.#connection.withoutDeadline()
    this.#socket.write(connectEstablished)
  }

  #refuse(code: RefusalCode, detail?: string): void {
    const [status, error, message] = refusals[code]
    this.#end(status, code, { error, message }, detail)
  }

  /** 403 whatever it was: a client that may try again says so to its user, and asks for another grant. */
  #refuseFor(error: unknown, headers: Record<string, string> = {}): void {
    if (error instanceof DialFailure) {
      const { status, code, message, detail } = error
      return void this.#end(
        status,
        code,
        { error: status === 403 ? 'access_denied' : 'upstream_failed', message },
        detail,
      )
    }
    if (!(error instanceof Refusal)) return void this.#fail(error)
    const { code, word, words, status, detail } = error
    const isPlain = 'WWW-Authenticate' in headers || status === 503
    this.#end(isPlain ? status : 403, code, { error: word, message: words }, JSON.stringify(detail), headers)
  }

  /** A mistake of ours. */
  #fail(error: unknown): void {
    const { log } = this.#needs.world
    log({ level: 'error', message: 'the proxy has failed', detail: (error as Error).stack ?? String(error) })
    this.#end(500, 'failed', { error: 'internal', message: 'The proxy has failed: its operator finds why in its log.' })
  }

  #end(status: number, code: string, body: object, detail?: string, headers: Record<string, string> = {}): void {
    const { world } = this.#needs
    const { address } = this.#connection
    const request_id = base64url(world.random(12))
    const { id: connection } = this.#connection
    this.#connection.note({ code, detail })
    world.log({ level: 'info', message: 'proxy request', request_id, status, code, detail, connection, address })
    this.#heads.release()
    this.#connection.within(world.limits.idleMs, 'client_stalled')
    const bytes = answerBytes(status, { ...body, request_id }, true, headers)
    this.#socket.end(bytes, () => this.#socket.destroy())
  }
}
