/** One session, from the grant that is shown to the last byte. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Constraints } from '../core/access/constraints.ts'
import { splitHostPort } from '../core/access/host-port.ts'
import { requireAllowed } from '../core/access/open-session.ts'
import { addressOf, type DbPrincipal, isPostgres, type SessionTarget } from '../core/access/resource.ts'
import { principalInWords } from '../core/access/session-words.ts'
import type { SessionGrant } from '../core/issue/grant.ts'
import type { Instant } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import { postgresError } from '../core/route/postgres.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { type AuthorizeNeeds, openGrant, type Showing } from './authorize.ts'
import type { Cancels } from './cancels.ts'
import type { Connection, Outcome } from './connection.ts'
import { type Credential, credentialFor, type DatabaseCredential } from './database-credentials.ts'
import type { Events } from './events.ts'
import { reachOf, requireReach, sessionPart } from './host-reach.ts'
import { type FirstMessage, Messages, noStartup, readFirst, secure, whyNotAdmitted } from './postgres.ts'
import { endPointOf, LoginFailure, logIn } from './postgres-login.ts'
import type { EndCode } from './reasons.ts'
import { watchTime } from './session-time.ts'
import type { Session, Sessions } from './sessions.ts'
import { type Spliced, splice } from './splice.ts'
import { DialFailure, dial } from './upstream.ts'
import { streamTo } from './upstream-stream.ts'
import { inWords } from './words.ts'

export interface OpeningNeeds extends AuthorizeNeeds {
  readonly sessions: Sessions
  readonly events: Events
  readonly ownPorts: ReadonlySet<number>
  readonly databases: () => readonly DatabaseCredential[]
  readonly cancels: Cancels
}

/** The connection that a session is on, or the one stream of it. */
export type Carrier = Pick<Connection, 'address' | 'leavePlace' | 'note' | 'awaitEnd' | 'ended' | 'within' | 'reset'>

type Opened = Awaited<ReturnType<typeof openGrant>>

interface Upstream {
  readonly raw: Socket
  readonly stream: Duplex
  readonly credential: Credential | undefined
}

type State =
  | { readonly kind: 'opening' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'passing'; readonly spliced: Spliced; readonly messages: Messages | undefined }
  | { readonly kind: 'over' }

const notLetIn = (user: string): string =>
  `The database does not let the proxy in as "${user}": its operator finds why in the log of the proxy.`

export class Opening implements Session {
  readonly #needs: OpeningNeeds
  readonly #connection: Carrier
  readonly #socket: Duplex
  readonly #calledOff = new AbortController()
  #state: State = { kind: 'opening' }
  #grant: SessionGrant | undefined
  #isBearer = false
  #opened: Opened | undefined
  #upstream: Upstream | undefined
  #openedAt: Instant = 0
  #constraints: Constraints | undefined
  #stopWatching: () => void = () => undefined
  #leave: () => void = () => undefined
  #forgetKey: () => void = () => undefined
  #isOver: () => void = () => undefined
  readonly #ended = new Promise<void>((done) => {
    this.#isOver = done
  })

  constructor(needs: OpeningNeeds, connection: Carrier, socket: Duplex) {
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
    return uses.key === id || !this.#opened ? id : `${id}.${sessionPart(subject.resource)}.${this.#opened.use}`
  }

  get address(): string {
    return this.#connection.address
  }

  get #isPostgres(): boolean {
    return isPostgres((this.#opened as Opened).resource)
  }

  get constraints(): Constraints {
    return this.#constraints as Constraints
  }

  hold(constraints: Constraints): void {
    requireReach(constraints, this.#upstream?.raw.remoteAddress)
    this.#constraints = constraints
  }

  /** `ready`: the client may be told. Not a moment lies between the last check and that. @throws Refusal, DialFailure */
  async open(showing: Showing, ready: () => void): Promise<void> {
    const { events, sessions } = this.#needs
    const grant = await showing.read()
    this.#grant = grant
    this.#isBearer = showing.isBearer === true
    try {
      events.requireRoom()
      this.#opened = await openGrant(this.#needs, grant, showing, this.address)
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
    const { events, trust, world, certificateLogins } = this.#needs
    this.#calledOff.signal.throwIfAborted()
    certificateLogins.requireNotEnded(this.grant)
    const { constraints } = requireAllowed(trust.fresh().known, this.grant, { address: this.address, now: world.now() })
    if (constraints.strictLocks) {
      trust.requireNewest()
      events.requireKept()
    }
    this.hold(constraints)
  }

  async #reach(resource: SessionTarget): Promise<Upstream> {
    const { world, ownPorts } = this.#needs
    const { limits } = world
    const { signal } = this.#calledOff
    const at = addressOf(resource)
    const late = new DialFailure('upstream_too_slow', `What is at ${at} does not answer in time.`)
    const timer = setTimeout(() => this.#calledOff.abort(late), limits.dialMs)
    const from = performance.now()
    let raw: Socket | undefined
    try {
      const credential = await this.#credential(resource)
      const reach = reachOf(resource, this.constraints)
      raw = await dial({ limits, ownPorts, resolve: world.resolve, ...reach }, splitHostPort(at), signal)
      return { raw, stream: await streamTo(resource, raw, signal, credential?.certificate), credential }
    } catch (error) {
      raw?.destroy()
      throw error
    } finally {
      clearTimeout(timer)
      this.#connection.note({ backend: at, dial_ms: Math.round(performance.now() - from) })
    }
  }

  /** As whom the proxy itself is let in. @throws DialFailure where its files cannot be read */
  async #credential(resource: SessionTarget): Promise<Credential | undefined> {
    const { world, databases } = this.#needs
    const { metadata } = resource
    if (!isPostgres(resource)) return undefined
    const { db_user } = this.grant.subject.principal as DbPrincipal
    try {
      return await credentialFor(databases(), metadata.name, db_user, world.now)
    } catch (error) {
      if (!(error instanceof SetupProblem)) throw error
      world.log({ level: 'error', message: 'no credential', resource: metadata.name, detail: error.message })
      throw new DialFailure('upstream_login_failed', notLetIn(db_user))
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
    if (this.#isPostgres) this.#say(last)
    else this.#connection.reset()
  }

  /** After the client was told, until it is over. `first`: a database client's first message, where it came before. */
  async run(first?: FirstMessage): Promise<void> {
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
    if (this.#isPostgres) return first ? await this.#begin(first) : this.#startPostgres()
    const { raw, stream } = this.#upstream as Upstream
    this.#pass(raw, stream, undefined)
  }

  /** The first message decides whether this is the session that was granted. */
  async #startPostgres(): Promise<void> {
    const { limits } = this.#needs.world
    const { stream } = this.#upstream as Upstream
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
    if (typeof message === 'string') return this.#refuseStart(...noStartup(message))
    await this.#begin(message)
  }

  async #begin({ first, bytes }: FirstMessage): Promise<void> {
    const { raw, stream, credential } = this.#upstream as Upstream
    const why = whyNotAdmitted(first, this.grant.subject.principal as DbPrincipal)
    if (why) return void this.#refuseStart(...why)
    stream.write(bytes)
    if (first.kind === 'startup' && credential?.password !== undefined) await this.#logIn(stream, credential.password)
    if (this.#state.kind !== 'starting') return
    this.#pass(raw, stream, new Messages((key) => this.#heardKey(key)))
  }

  /** What the client would have been asked is answered here. */
  async #logIn(stream: Duplex, password: string): Promise<void> {
    const { world } = this.#needs
    const gone = () => this.cut('upstream_reset', 'The database has ended the connection.')
    stream.once('close', gone).once('end', gone)
    const tooSlow = () => this.cut('upstream_login_failed', 'The database has not answered in time.')
    const late = setTimeout(tooSlow, world.limits.startupMs)
    try {
      await Promise.race([logIn(stream, { ...endPointOf(stream), password, random: world.random }), this.#ended])
    } catch (error) {
      if (!(error instanceof LoginFailure)) throw error
      const { db_user } = this.grant.subject.principal as DbPrincipal
      const resource = this.grant.subject.resource.name
      world.log({ level: 'error', message: 'not let in by the database', resource, detail: error.message })
      this.#finish({ code: 'upstream_login_failed', by: 'proxy', up: 0, down: 0 })
      this.#say(postgresError('invalidAuthorization', notLetIn(db_user)))
    } finally {
      clearTimeout(late)
      stream.off('close', gone).off('end', gone)
    }
  }

  /** To the very server that gave the key, whatever its name leads to by then. */
  #heardKey(key: Uint8Array): void {
    const { raw } = this.#upstream as Upstream
    const { world, ownPorts, cancels } = this.#needs
    const { resource } = this.#opened as Opened
    const at = { host: String(raw.remoteAddress), port: Number(raw.remotePort) }
    if (!isPostgres(resource) || this.#state.kind === 'over') return
    this.#forgetKey()
    this.#forgetKey = cancels.remember(key, async (signal) => {
      const socket = await dial({ limits: world.limits, ownPorts, called: 'database' }, at, signal)
      return secure(socket, resource, signal)
    })
  }

  #refuseStart(...why: Parameters<typeof postgresError>): void {
    this.#finish({ code: 'startup_refused', by: 'proxy', up: 0, down: 0 })
    this.#say(postgresError(...why))
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
    this.#socket.destroy()
  }

  #say(bytes: Uint8Array): void {
    this.#connection.within(this.#needs.world.limits.idleMs, 'client_stalled')
    this.#socket.end(bytes, () => this.#socket.destroy())
  }

  #over(): void {
    const before = this.#state.kind
    this.#state = { kind: 'over' }
    this.#isOver()
    this.#forgetKey()
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
      ...(this.#isBearer && { bearer: true }),
      ...(uses.most !== 1 && { use }),
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
      const { code, message, detail: addresses } = error
      events.tell({ ...about, code, detail: { message, ...(addresses !== undefined && { addresses }) } })
    }
  }
}
