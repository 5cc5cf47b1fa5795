/** What one client, or a stalled edge, may take of the proxy. Each state of a connection has a deadline. */
import { type Duration, minutes, seconds } from '../core/model.ts'

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
  readonly graceMs: Duration
}

export const limits: Limits = {
  /** Nobody has proven anything on a connection yet, so all of them count as undecided: 1,024, and 64 from one place. */
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
  /** How long requests may go on after the signal to stop, as the edge (worker/serve.ts). */
  graceMs: seconds(5),
}
