/** One session, from the grant that is shown to the last byte. */

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Constraints } from '../core/access/constraints.ts'
import { requireAllowed } from '../core/access/open-session.ts'
import { addressOf, type DbPrincipal, type ResourceDocument } from '../core/access/resource.ts'
import { principalInWords } from '../core/access/session-words.ts'
import type { SessionGrant } from '../core/issue/grant.ts'
import type { Instant } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import type { ConnectHead } from '../core/route/connect.ts'
import { postgresError } from '../core/route/postgres.ts'
import { type AuthorizeNeeds, openGrant, readShownGrant } from './authorize.ts'
import type { Connection, Outcome } from './connection.ts'
import type { Events } from './events.ts'
import { Messages, readFirst, secure, whyNotAdmitted } from './postgres.ts'
import type { EndCode } from './reasons.ts'
import { watchTime } from './session-time.ts'
import type { Session, Sessions } from './sessions.ts'
import { type Spliced, splice } from './splice.ts'
import { DialFailure, dial, targetOf } from './upstream.ts'
import { inWords } from './words.ts'

export interface OpeningNeeds extends AuthorizeNeeds {
  readonly sessions: Sessions
  readonly events: Events
  readonly ownPort: number
}

type Opened = Awaited<ReturnType<typeof openGrant>>

interface Upstream {
  readonly raw: Socket
  readonly stream: Duplex
}

type State =
  | { readonly kind: 'opening' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'passing'; readonly spliced: Spliced; readonly messages: Messages | undefined }
  | { readonly kind: 'over' }

export class Opening implements Session {
  readonly #needs: OpeningNeeds
  readonly #connection: Connection
  readonly #socket: TLSSocket
  readonly #calledOff = new AbortController()
  #state: State = { kind: 'opening' }
  #grant: SessionGrant | undefined
  #opened: Opened | undefined
  #upstream: Upstream | undefined
  #openedAt: Instant = 0
  #constraints: Constraints | undefined
  #stopWatching: () => void = () => undefined
  #leave: () => void = () => undefined

  constructor(needs: OpeningNeeds, connection: Connection, socket: TLSSocket) {
    this.#needs = needs
    this.#connection = connection
    this.#socket = socket
  }

  get grant(): SessionGrant {
    return this.#grant as SessionGrant
  }

  /** A grant for a set opens several. */
  get id(): string {
    const { id, uses, subject } = this.grant
    return uses.key === id || !this.#opened ? id : `${id}.${subject.resource.name}.${this.#opened.use}`
  }

  get address(): string {
    return this.#connection.address
  }

  get constraints(): Constraints {
    return this.#constraints as Constraints
  }

  hold(constraints: Constraints): void {
    this.#constraints = constraints
  }

  /** `ready`: the client may be told. Not a moment lies between the last check and that. @throws Refusal, DialFailure */
  async open({ target, proxyAuthorization, dpop }: ConnectHead, exporter: string, ready: () => void): Promise<void> {
    const { events, sessions } = this.#needs
    const grant = await readShownGrant(this.#needs, proxyAuthorization, target.host)
    this.#grant = grant
    try {
      events.requireRoom()
      this.#opened = await openGrant(this.#needs, grant, { proof: dpop, exporter, address: this.address }, target.host)
      // From here on it is among those that each change decides again; what changed meanwhile is looked at in the same turn.
      this.#requireAllowed()
      this.#leave = sessions.add(this)
      this.#connection.leavePlace()
      this.#upstream = await this.#reach(this.#opened.resource)
      this.#requireAllowed()
      this.#state = { kind: 'starting' }
      this.#openedAt = this.#needs.world.now()
      this.#tellStarted()
      ready()
    } catch (error) {
      this.#over()
      this.#tellRefused(grant, error)
      throw error
    }
  }

  #requireAllowed(): void {
    const { events, trust, world } = this.#needs
    this.#calledOff.signal.throwIfAborted()
    const { constraints } = requireAllowed(trust.fresh().known, this.grant, { address: this.address, now: world.now() })
    if (constraints.strictLocks) {
      trust.requireNewest()
      events.requireKept()
    }
    this.hold(constraints)
  }

  async #reach(resource: ResourceDocument): Promise<Upstream> {
    const { world, ownPort } = this.#needs
    const { limits } = world
    const { signal } = this.#calledOff
    const at = addressOf(resource)
    const late = new DialFailure('upstream_too_slow', `What is at ${at} does not answer in time.`)
    const timer = setTimeout(() => this.#calledOff.abort(late), limits.dialMs)
    const from = performance.now()
    let raw: Socket | undefined
    try {
      raw = await dial({ limits, ownPort }, targetOf(at), signal)
      // All but databases carries its own protocol from end to end.
      return { raw, stream: resource.kind === 'db' ? await secure(raw, resource, signal) : raw }
    } catch (error) {
      raw?.destroy()
      throw error
    } finally {
      clearTimeout(timer)
      this.#connection.note({ backend: at, dial_ms: Math.round(performance.now() - from) })
    }
  }

  /** The client has gone, or speaks out of turn. */
  abandon(): void {
    this.#calledOff.abort(new Refusal('unavailable', { why: 'client_gone' }))
  }

  cut(code: EndCode, message: string): void {
    const state = this.#state
    const told = new Refusal('session_refused', { why: code }, { told: message })
    if (state.kind === 'opening') return void this.#calledOff.abort(told)
    if (state.kind === 'over') return
    const last = postgresError('adminShutdown', message)
    if (state.kind === 'passing') return void state.spliced.cut(code, state.messages?.isBetween ? last : undefined)
    this.#finish({ code, by: 'proxy', up: 0, down: 0 })
    // Another protocol has no place for our words.
    if (this.grant.subject.resource.kind === 'db') this.#say(last)
    else this.#connection.reset()
  }

  /** After the 200, until it is over. */
  async run(): Promise<void> {
    // Cut already, in the turn between the 200 and this.
    if (this.#state.kind !== 'starting') return
    this.#stopWatching = watchTime({
      openedAt: this.#openedAt,
      loginEndsAt: this.grant.login.expiresAt,
      now: this.#needs.world.now,
      constraints: () => this.constraints,
      // A first message has a deadline of its own.
      heard: () => this.#state.kind !== 'passing' || this.#state.spliced.heardClient(),
      cut: (code, message) => this.cut(code, message),
    })
    if (this.grant.subject.resource.kind === 'db') return this.#startPostgres()
    const { raw, stream } = this.#upstream as Upstream
    this.#pass(raw, stream, undefined)
  }

  /** The first message decides whether this is the session that was granted. */
  async #startPostgres(): Promise<void> {
    const { limits } = this.#needs.world
    const { raw, stream } = this.#upstream as Upstream
    const gone = () => this.cut('upstream_reset', 'The database has ended the connection.')
    stream.once('close', gone)
    const late = setTimeout(
      () => this.cut('startup_refused', 'The startup message has not come in time.'),
      limits.startupMs,
    )
    const message = await readFirst(this.#socket)
    clearTimeout(late)
    stream.off('close', gone)
    if (this.#state.kind !== 'starting') return
    if (message === undefined) return this.#leaveUnsaid()
    const why =
      typeof message === 'string'
        ? (['protocolViolation', `This is no Postgres startup message (${message}).`] as const)
        : whyNotAdmitted(message.first, this.grant.subject.principal as DbPrincipal)
    if (why || typeof message === 'string') {
      this.#finish({ code: 'startup_refused', by: 'proxy', up: 0, down: 0 })
      return this.#say(postgresError(...(why as NonNullable<typeof why>)))
    }
    stream.write(message.bytes)
    this.#pass(raw, stream, new Messages())
  }

  /** `messages`: where a database's last words may be put between. */
  #pass(raw: Socket, stream: Duplex, messages: Messages | undefined): void {
    const { sessionIdleMs, halfCloseIdleMs } = this.#needs.world.limits
    const spliced = splice(
      { stream: this.#socket, reset: () => this.#connection.reset() },
      { stream, reset: () => raw.resetAndDestroy() },
      {
        idleMs: sessionIdleMs,
        halfCloseIdleMs,
        toClient: (piece) => messages?.follow(piece),
        ended: (outcome) => this.#finish(outcome),
        idle: (code) => this.cut(code, `The session was idle for ${inWords(sessionIdleMs)}.`),
      },
    )
    this.#state = { kind: 'passing', spliced, messages }
  }

  /** Gone before it said anything, as whoever only looks whether something listens. */
  #leaveUnsaid(): void {
    this.#finish({ code: 'client_reset', by: 'client', up: 0, down: 0 })
    this.#connection.raw.destroy()
  }

  #say(bytes: Uint8Array): void {
    this.#connection.within(this.#needs.world.limits.idleMs, 'client_stalled')
    this.#socket.end(bytes, () => this.#socket.destroy())
  }

  #over(): void {
    const before = this.#state.kind
    this.#state = { kind: 'over' }
    this.#stopWatching()
    this.#leave()
    // What is spliced ends by itself, its last bytes first.
    if (before !== 'passing') this.#upstream?.raw.destroy()
  }

  #finish(outcome: Outcome & { readonly code: EndCode }): void {
    if (this.#state.kind === 'over') return
    this.#over()
    const { events, world } = this.#needs
    const { address } = this.#connection
    const { code, up, down } = outcome
    const ms = world.now() - this.#openedAt
    const { id } = this
    this.#connection.ended(outcome)
    events.tell({
      kind: 'session.stop',
      session: id,
      grant: this.grant,
      address,
      detail: { why: code, bytes_up: up, bytes_down: down, ms },
    })
  }

  #tellStarted(): void {
    const { events, world } = this.#needs
    const { address } = this.#connection
    const { tapped, principal, trace, use } = this.#opened as Opened
    const { id } = this
    const { subject, uses, code } = this.grant
    const resource = subject.resource.name
    this.#connection.note({ session: id, resource, user: this.grant.user })
    this.#connection.awaitEnd()
    world.log({ level: 'info', message: 'session started', session: id, resource, address })
    const as = principalInWords(subject.resource.kind, principal)
    const { impersonated } = subject
    const detail = {
      ...(as !== '' && { as }),
      ...(impersonated && { impersonated: impersonated.name }),
      tapped,
      ...(code && { code: true }),
      ...(uses.most > 1 && { use }),
      rules: trace().join('; '),
    }
    events.tell({ kind: 'session.start', session: id, grant: this.grant, address, detail })
  }

  #tellRefused(grant: SessionGrant, error: unknown): void {
    const { events } = this.#needs
    const { address } = this.#connection
    const kind = 'session.refuse' as const
    const about = { kind, session: this.id, grant, address }
    if (error instanceof Refusal) events.tell({ ...about, code: error.code, detail: error.detail })
    else if (error instanceof DialFailure) {
      events.tell({ ...about, code: error.code, detail: { message: error.message } })
    }
  }
}
