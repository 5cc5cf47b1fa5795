/** What one client, or a stalled edge, may take of the proxy. Each state of a connection has a deadline. */
import { type Duration, hours, minutes, seconds } from '../core/model.ts'

export interface Limits {
  readonly connections: number
  readonly connectionsOfOneNetwork: number
  readonly backlog: number
  readonly handshakeMs: Duration
  readonly headMs: Duration
  readonly idleMs: Duration
  readonly headBytes: number
  readonly pipelined: number
  readonly bodyBytes: number
  readonly bodyMs: Duration
  readonly answerMs: Duration
  readonly stallMs: Duration
  readonly exchangeMs: Duration
  readonly edgeSockets: number
  readonly edgeIdleMs: Duration
  readonly graceMs: Duration
  readonly grantMs: Duration
  readonly waitingMs: Duration
  readonly waitingOfOneUser: number
  readonly dialMs: Duration
  readonly dialOneMs: Duration
  readonly dialNextMs: Duration
  readonly startupMs: Duration
  readonly sessions: number
  readonly relays: number
  readonly relaysOfOneNetwork: number
  readonly sessionIdleMs: Duration
  readonly halfCloseIdleMs: Duration
  readonly drainMs: Duration
  readonly spentGrants: number
  readonly events: number
}

export const limits: Limits = {
  /** Of those on which nobody has proven anything: 1,024, and 64 of one network (proxy/slots.ts). */
  connections: 1024,
  connectionsOfOneNetwork: 64,
  /** As rust-rpxy-l4; the kernel cuts it to its own limit. */
  backlog: 1024,
  /** From accept to the end of the handshake, absolute: nginx allows 30 s, Teleport 15 s, sslh 5 s. */
  handshakeMs: seconds(10),
  /** For a whole request head, absolute, as the edge does (worker/serve.ts). */
  headMs: seconds(10),
  /** Between two requests, as Node's own servers, the edge among them. */
  idleMs: seconds(5),
  /** Node's default, which the edge has too. */
  headBytes: 16 * 1024,
  /** Requests that a client sends before their answers came. Clients of today send one; without a limit it is memory. */
  pipelined: 16,
  /** As the edge (worker/body.ts). */
  bodyBytes: 256 * 1024,
  /** For a whole body, absolute, as the edge does (worker/serve.ts). */
  bodyMs: seconds(30),
  /** From the last byte passed on to the first of the edge's answer. Cloudflare ends requests of a Worker later than that. */
  answerMs: seconds(30),
  /** Without a byte of an answer passing: neither a stalled edge nor a client that reads nothing holds a slot for longer. */
  stallMs: seconds(60),
  /** A whole exchange, absolute: against a client that reads one byte a minute. */
  exchangeMs: minutes(10),
  /** Connections to the edge; further requests wait for one, within `answerMs`. */
  edgeSockets: 256,
  /** Kept for the next request: less than the five seconds after which a server of Node's ends it, perhaps just when a request is sent that cannot be repeated. */
  edgeIdleMs: seconds(4),
  /** How long requests may go on after the signal to stop, as the edge (worker/serve.ts). */
  graceMs: seconds(5),
  /** To check a grant, which is two signatures and a tap. */
  grantMs: seconds(5),
  /** A client that has shown who it is waits for a tap, which its user has five minutes for (core/access/request-session.ts). */
  waitingMs: minutes(5),
  /** One person, several terminals. */
  waitingOfOneUser: 4,
  /** All addresses of a name, its resolution and TLS included; and one of them. tcpproxy and ghostunnel allow 10 s. */
  dialMs: seconds(10),
  dialOneMs: seconds(5),
  /** Until the next address of a name is tried beside the one before (RFC 8305 section 5). */
  dialNextMs: 250,
  /** For a database client's first message, absolute: Postgres itself allows 60 s to the end of its authentication. */
  startupMs: seconds(10),
  /** Two descriptors each. */
  sessions: 4096,
  /**
   * Connections of static routes, two descriptors each. They are counted apart, because nobody has shown here who he is: strangers
   * must leave room for sessions, and those of one network for others.
   */
  relays: 4096,
  relaysOfOneNetwork: 1024,
  /** Without a byte in either direction: as Envoy. */
  sessionIdleMs: hours(1),
  /** The same where one side has ended already: as ghostunnel. */
  halfCloseIdleMs: seconds(60),
  /** How long sessions may go on where nobody says more (`drain` of proxy.yaml): less than `graceMs`, so that each is told. */
  drainMs: seconds(4),
  /** Remembered until they have expired: about 200 bytes each. */
  spentGrants: 100_000,
  /** Kept while the edge is away: with half of them no new session begins, so that the end of each has room. */
  events: 10_000,
}
