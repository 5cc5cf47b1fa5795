/** One of several things that go on over one connection: its own deadline, its own end, and a line of its own in the log. */
import type { Duration } from '../core/model.ts'
import type { Connection, Noted, Outcome } from './connection.ts'
import type { Log } from './log.ts'
import type { Carrier } from './opening.ts'
import type { CloseCode } from './reasons.ts'

interface Needs {
  readonly connection: Connection
  readonly log: Log
  readonly stream?: number
  /** What was sent must not look complete. */
  reset(): void
}

export class Lane implements Carrier {
  readonly stream: number | undefined
  readonly #needs: Needs
  readonly #begunAt = performance.now()
  #noted: Noted = {}
  #deadline: NodeJS.Timeout | undefined

  constructor(needs: Needs) {
    this.#needs = needs
    this.stream = needs.stream
  }

  get id(): string {
    return this.#needs.connection.id
  }

  get address(): string {
    return this.#needs.connection.address
  }

  leavePlace(): void {
    this.#needs.connection.leavePlace()
  }

  note(noted: Noted): void {
    this.#noted = { ...this.#noted, ...noted }
  }

  /** Nothing is told of it before. */
  awaitEnd(): void {}

  ended({ code, by, up, down }: Outcome): void {
    const { log, connection, stream } = this.#needs
    const ms = Math.round(performance.now() - this.#begunAt)
    const { id, address } = connection
    const of = { connection: id, ...(stream !== undefined && { stream }), address }
    log({ level: 'info', message: 'tunnel ended', ...of, ...this.#noted, code, closed_by: by, up, down, ms })
  }

  within(ms: Duration, otherwise: CloseCode): void {
    this.withoutDeadline()
    this.#deadline = setTimeout(() => {
      this.ended({ code: otherwise, by: 'proxy', up: 0, down: 0 })
      this.reset()
    }, ms)
  }

  withoutDeadline(): void {
    clearTimeout(this.#deadline)
  }

  reset(): void {
    this.withoutDeadline()
    this.#needs.reset()
  }
}
