/**
 * Postgres with no helper: TLS ends here under the name of a resource, and the client shows a grant by its certificate. Behind it stands
 * a session as any other.
 */
import type { TLSSocket } from 'node:tls'
import { isPostgres } from '../core/access/resource.ts'
import { Refusal } from '../core/refusal.ts'
import { postgresError } from '../core/route/postgres.ts'
import type { Showing } from './authorize.ts'
import type { Bearers } from './bearers.ts'
import { shownByCertificate } from './certificate-grant.ts'
import type { ServerCertificate } from './certificates.ts'
import type { Connection } from './connection.ts'
import type { Taking } from './dispatch.ts'
import { letHalfOpen, openBehind } from './open-behind.ts'
import { askPassword, noStartup, readFirst, readPassword } from './postgres.ts'
import type { RoutedRules } from './routes.ts'
import { type ServiceNeeds, type Settled, type TakePostgres, takeNamed, targetOf } from './service-end.ts'
import { makeTlsEnd } from './tls.ts'
import type { Trusting } from './trust.ts'
import { DialFailure } from './upstream.ts'
import { shownByWord } from './word-grant.ts'

export interface PostgresNeeds extends ServiceNeeds {
  readonly bearers: Bearers
}

export interface PostgresEnd {
  /** For hellos behind an SSLRequest, where older clients offer no protocol; and for those that begin at once. */
  readonly asked: Taking
  readonly direct: Taking
  /** Of a handshake that has settled it otherwise. */
  readonly take: TakePostgres
}

export function makePostgresEnd(
  needs: PostgresNeeds,
  certificate: ServerCertificate,
  rule: RoutedRules['postgres'],
): PostgresEnd {
  const { names, certificates } = needs
  const take: TakePostgres = (connection, socket, settled) =>
    void new Client(needs, connection, socket, settled).begin()
  const ending = (alpn: readonly string[]): Taking => {
    const end = makeTlsEnd(certificate, {
      alpn,
      asksCertificate: true,
      certificateFor: certificates.certificateFor,
      take: (connection, socket, { sni }) =>
        take(connection, socket, { target: targetOf(sni, names), fits: isPostgres }),
    })
    return { ...rule, alpn, take: (connection, hello) => void takeNamed(needs, connection, hello, end.take) }
  }
  const { alpn = [] } = rule
  return { asked: ending([...alpn, 'sallyport-postgres', '']), direct: ending(alpn), take }
}

/** Where no role has them nobody is asked: what is typed for the database stays between it and its client. */
const takesBearers = ({ known }: Trusting): boolean =>
  [...known.roles.values()].some(({ spec }) => spec.options.bearer_grants === true)

type FirstRead = Awaited<ReturnType<typeof readFirst>>

/** One connection, behind its handshake. */
class Client {
  readonly #needs: PostgresNeeds
  readonly #connection: Connection
  readonly #socket: TLSSocket
  readonly #settled: Settled

  constructor(needs: PostgresNeeds, connection: Connection, socket: TLSSocket, settled: Settled) {
    this.#needs = needs
    this.#connection = connection
    this.#socket = socket
    this.#settled = settled
  }

  async begin(): Promise<void> {
    const { limits } = this.#needs.world
    const [connection, socket] = [this.#connection, this.#socket]
    letHalfOpen(connection, socket)
    connection.within(limits.startupMs, 'startup_too_slow')
    const message = await readFirst(socket)
    if (message === undefined) return void connection.raw.destroy()
    if (typeof message === 'string') return this.#end('startup_malformed', message, ...noStartup(message))
    const { first, bytes } = message
    if (first.kind === 'cancel') return this.#needs.cancels.take(connection, bytes, socket)
    if (first.kind !== 'startup')
      return this.#end('startup_malformed', first.kind, ...noStartup(`a second ${first.kind}`))
    await this.#open({ first, bytes })
  }

  async #open(message: Exclude<FirstRead, string | undefined>): Promise<void> {
    const [connection, socket] = [this.#connection, this.#socket]
    try {
      await openBehind(this.#needs, connection, socket, () => this.#showing(), message)
    } catch (error) {
      if (!socket.destroyed) this.#refuseFor(error)
    }
  }

  /** @throws Refusal */
  async #showing(): Promise<Showing> {
    const [connection, socket] = [this.#connection, this.#socket]
    const { target, fits } = this.#settled
    if (socket.getPeerX509Certificate() || !takesBearers(this.#needs.trust.fresh())) {
      return shownByCertificate(this.#needs, socket, target, fits)
    }
    // A word is for one resource, so the client must name it.
    if (target === undefined) throw new Refusal('grant_invalid', { why: 'no client certificate' })
    const { limits } = this.#needs.world
    connection.within(limits.startupMs, 'startup_too_slow')
    socket.write(askPassword)
    const handle = await readPassword(socket)
    if (handle === undefined) throw new Refusal('grant_invalid', { why: 'no password' })
    connection.within(limits.grantMs + limits.dialMs, 'grant_too_slow')
    const showed = { place: 'password', target, address: connection.address } as const
    return { ...shownByWord(this.#needs.bearers, handle, showed), fits }
  }

  #refuseFor(error: unknown): void {
    if (error instanceof DialFailure) return void this.#end(error.code, undefined, 'connectionFailure', error.message)
    if (!(error instanceof Refusal)) return void this.#fail(error)
    const { code, words, status, detail } = error
    const state = status === 503 ? 'cannotConnectNow' : 'invalidAuthorization'
    this.#end(code, JSON.stringify(detail), state, isAboutGrant.has(code) ? `${words} ${loginAgain}` : words)
  }

  /** A mistake of ours. */
  #fail(error: unknown): void {
    const { log } = this.#needs.world
    log({ level: 'error', message: 'the proxy has failed', detail: (error as Error).stack ?? String(error) })
    this.#end('failed', undefined, 'cannotConnectNow', 'The proxy has failed: its operator finds why in its log.')
  }

  #end(code: string, detail: string | undefined, ...said: Parameters<typeof postgresError>): void {
    const { world } = this.#needs
    const { address, id: connection } = this.#connection
    this.#connection.note({ code, closed_by: 'proxy' })
    world.log({ level: 'info', message: 'postgres refused', connection, code, detail, address })
    this.#connection.within(world.limits.idleMs, 'client_stalled')
    this.#socket.end(postgresError(...said), () => this.#socket.destroy())
  }
}

/** One answer for all that is wrong with what was shown. */
const isAboutGrant: ReadonlySet<string> = new Set(['grant_invalid', 'grant_spent', 'protocol_unfit', 'tap_wanted'])
const loginAgain = 'Run "sallyport db login", and connect with the certificate that it writes.'
