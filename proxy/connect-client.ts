/** A connection whose heads are read one by one, by our own strict readers, and that one of them may turn into a tunnel. */
import type { TLSSocket } from 'node:tls'
import { type ConnectHead, connectEstablished } from '../core/route/connect.ts'
import type { RequestHead } from '../core/route/request-head.ts'
import type { Showing } from './authorize.ts'
import type { Connection } from './connection.ts'
import { answerBytes, Heads } from './heads.ts'
import { Opening, type OpeningNeeds } from './opening.ts'
import { challenge, TunnelAnswers } from './tunnel-answers.ts'

interface Handlers {
  /** What a CONNECT shows; undefined: nothing that is taken here. @throws Refusal */
  showing(head: ConnectHead): Showing | undefined
  /** Any other request, where one may come. */
  request?(head: RequestHead): void
}

export class ConnectClient {
  readonly answers: TunnelAnswers
  readonly #heads: Heads
  readonly #needs: OpeningNeeds
  readonly #connection: Connection
  readonly #socket: TLSSocket
  readonly #handlers: Handlers
  #opening: Opening | undefined

  constructor(needs: OpeningNeeds, connection: Connection, socket: TLSSocket, handlers: Handlers) {
    this.#needs = needs
    this.#connection = connection
    this.#socket = socket
    this.#handlers = handlers
    this.answers = new TunnelAnswers({
      world: needs.world,
      of: connection,
      send: ({ status, body, headers }) => this.#end(answerBytes(status, body, true, headers)),
    })
    this.#heads = new Heads(socket, {
      head: (one) => (one.kind === 'connect' ? void this.#connect(one.head) : handlers.request?.(one.head)),
      malformed: (why) => this.answers.refuse('head_malformed', why),
      early: () => {
        this.#opening?.abandon()
        connection.refuse('bytes_too_early')
      },
      gone: () => {
        this.#opening?.abandon()
        connection.raw.destroy()
      },
    })
    // A tunnel's two directions end each for itself.
    socket.allowHalfOpen = true
    connection.raw.allowHalfOpen = true
    socket.on('error', () => socket.destroy())
  }

  /** The next head may come. */
  answer(body: object): void {
    this.#heads.next()
    this.#socket.write(answerBytes(200, body, false))
  }

  /** The same, and nothing is asked here any more. */
  answerLast(body: object): void {
    this.#heads.next()
    this.#socket.end(answerBytes(200, body, true), () => this.#socket.destroy())
  }

  async #connect(head: ConnectHead): Promise<void> {
    const { limits } = this.#needs.world
    const [connection, socket] = [this.#connection, this.#socket]
    connection.within(limits.grantMs + limits.dialMs, 'grant_too_slow')
    connection.inFlight++
    socket.once('close', () => {
      connection.inFlight--
      connection.endIfDone()
    })
    try {
      const showing = this.#handlers.showing(head)
      if (!showing) return this.answers.refuse('proxy_credential_missing', undefined, challenge)
      const opening = new Opening(this.#needs, connection, socket)
      this.#opening = opening
      await opening.open(showing, () => this.#becomeTunnel())
      await opening.run()
    } catch (error) {
      if (!socket.destroyed) this.answers.refuseFor(error)
    }
  }

  #becomeTunnel(): void {
    this.#heads.release()
    this.#connection.withoutDeadline()
    this.#socket.write(connectEstablished)
  }

  #end(bytes: string): void {
    this.#heads.release()
    this.#connection.within(this.#needs.world.limits.idleMs, 'client_stalled')
    this.#socket.end(bytes, () => this.#socket.destroy())
  }
}
