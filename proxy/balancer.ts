/** The header of a balancer in front, where a listener requires one: it says whose the connection is, and the client's bytes follow. */
import { ProxyHeaderReader } from '../core/route/proxy-header-reader.ts'
import type { Connection } from './connection.ts'
import { refuse, type Stage, type Step } from './first-bytes.ts'

export class HeaderStage implements Stage {
  readonly #reader = new ProxyHeaderReader()
  readonly #connection: Connection
  readonly #next: Stage

  constructor(connection: Connection, next: Stage) {
    this.#connection = connection
    this.#next = next
  }

  push(piece: Uint8Array): Step {
    const parsed = this.#reader.push(piece)
    if (parsed.kind === 'more') return parsed
    if (parsed.kind === 'invalid') return refuse(parsed.why)
    // Of a check of the balancer's own, or of what it cannot say, the socket's addresses stay.
    if (parsed.value) this.#connection.comesFrom(parsed.value.source, parsed.value.destination)
    return { kind: 'skip', used: parsed.used, next: this.#next }
  }
}
