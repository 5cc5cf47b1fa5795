/**
 * Postgres with no helper: TLS ends here under the name of a resource, and the client shows a grant by its certificate. Behind it stands
 * a session as any other.
 */
import type { TLSSocket } from 'node:tls'
import { Refusal } from '../core/refusal.ts'
import type { Hello } from '../core/route/hello.ts'
import { postgresError } from '../core/route/postgres.ts'
import type { AuthorizeNeeds, Showing } from './authorize.ts'
import type { Bearers } from './bearers.ts'
import { shownByCertificate } from './certificate-grant.ts'
import type { Connection } from './connection.ts'
import type { Taking } from './dispatch.ts'
import { alertBytes } from './dispatch.ts'
import { Opening, type OpeningNeeds } from './opening.ts'
import { askPassword, noStartup, readFirst, readPassword } from './postgres.ts'
import type { ResourceCertificates } from './resource-certificates.ts'
import { postgresProtocols, resourceRule } from './routes.ts'
import { makeTlsEnd } from './tls.ts'
import type { Trusting } from './trust.ts'
import { DialFailure } from './upstream.ts'
import { shownByWord } from './word-grant.ts'

export interface PostgresNeeds extends AuthorizeNeeds, OpeningNeeds {
  readonly certificates: ResourceCertificates
  /** The proxy's own server names: resources lie below each. */
  readonly names: ReadonlySet<string>
  readonly bearers: Bearers
}

export interface PostgresEnd {
  /** For hellos behind an SSLRequest, where older clients offer no protocol; and for those that begin at once. */
  readonly asked: Taking
  readonly direct: Taking
}

export function makePostgresEnd(needs: PostgresNeeds, certificate: Parameters<typeof makeTlsEnd>[0]): PostgresEnd {
  const { names, certificates, trust } = needs
  const ending = (alpn: readonly string[]): Taking => {
    const end = makeTlsEnd(certificate, {
      alpn,
      asksCertificate: true,
      certificateFor: certificates.certificateFor,
      take: (connection, socket) => new Client(needs, connection, socket).begin(),
    })
    return { ...resourceRule(names), alpn, take: (connection, hello) => void takeNamed(connection, hello, end.take) }
  }
  /** Of what is no database there is no certificate either. */
  async function takeNamed(connection: Connection, hello: Hello, take: Taking['take']): Promise<void> {
    const { sni = '' } = hello
    if (isDatabase(trust, resourceIn(sni)) && (await certificates.certificateFor(sni))) take(connection, hello)
    else connection.refuse('server_name_unknown', undefined, alertBytes(unrecognizedName))
  }
  return { asked: ending([...postgresProtocols, '']), direct: ending(postgresProtocols) }
}

const unrecognizedName = 112

/** The first label: the rest is a name of the proxy, as the rule has it. */
const resourceIn = (serverName: string): string => serverName.split('.', 1)[0] as string

function isDatabase(trust: AuthorizeNeeds['trust'], name: string): boolean {
  try {
    return trust.fresh().known.resources.get(name)?.kind === 'db'
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
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

  constructor(needs: PostgresNeeds, connection: Connection, socket: TLSSocket) {
    this.#needs = needs
    this.#connection = connection
    this.#socket = socket
  }

  async begin(): Promise<void> {
    const { limits } = this.#needs.world
    const [connection, socket] = [this.#connection, this.#socket]
    socket.allowHalfOpen = true
    connection.raw.allowHalfOpen = true
    socket.on('error', () => socket.destroy())
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
    const { limits } = this.#needs.world
    const [connection, socket] = [this.#connection, this.#socket]
    connection.within(limits.grantMs + limits.dialMs, 'grant_too_slow')
    connection.inFlight++
    socket.once('close', () => {
      connection.inFlight--
      connection.endIfDone()
    })
    const opening = new Opening(this.#needs, connection, socket)
    const gone = () => opening.abandon()
    socket.once('close', gone)
    try {
      const target = resourceIn(String(socket.servername).toLowerCase())
      const showing = await this.#showing(target)
      await opening.open(showing, () => connection.withoutDeadline())
      socket.off('close', gone)
      await opening.run(message)
    } catch (error) {
      if (!socket.destroyed) this.#refuseFor(error)
    }
  }

  /** @throws Refusal */
  async #showing(target: string): Promise<Showing> {
    const [connection, socket] = [this.#connection, this.#socket]
    if (socket.getPeerX509Certificate() || !takesBearers(this.#needs.trust.fresh())) {
      return shownByCertificate(this.#needs, socket, target)
    }
    const { limits } = this.#needs.world
    connection.within(limits.startupMs, 'startup_too_slow')
    socket.write(askPassword)
    const handle = await readPassword(socket)
    if (handle === undefined) throw new Refusal('grant_invalid', { why: 'no password' })
    connection.within(limits.grantMs + limits.dialMs, 'grant_too_slow')
    return shownByWord(this.#needs.bearers, handle, { place: 'password', target, address: connection.address })
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
    const { address } = this.#connection
    world.log({ level: 'info', message: 'postgres refused', code, detail, address })
    this.#connection.within(world.limits.idleMs, 'client_stalled')
    this.#socket.end(postgresError(...said), () => this.#socket.destroy())
  }
}

/** One answer for all that is wrong with what was shown. */
const isAboutGrant: ReadonlySet<string> = new Set(['grant_invalid', 'grant_spent', 'tap_wanted'])
const loginAgain = 'Run "sallyport db login", and connect with the certificate that it writes.'
