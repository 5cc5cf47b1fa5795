/**
 * What a client says before anything is known of it, read stage by stage: perhaps a header of the balancer in front, perhaps a question
 * in the clear, and a hello. Without a socket: proxy/peek.ts has that.
 */
import { concat } from '../core/lib/bytes.ts'
import { Growing } from '../core/lib/growing.ts'
import { type Hello, type HelloLimits, type HelloReader, helloReader, parseHello } from '../core/route/hello.ts'
import { sniff, type Wire } from '../core/route/sniff.ts'
import type { Connection } from './connection.ts'
import type { CloseCode } from './reasons.ts'
import type { WithoutTls } from './routes.ts'

export type Taker = (connection: Connection) => void
export type TakingWithoutTls = WithoutTls & { readonly take: Taker }

/** What a stage says to the bytes so far. `used` counts those of this stage. */
export type Step =
  | { readonly kind: 'more' }
  /** `last`: what the client is still told. */
  | { readonly kind: 'refuse'; readonly why: CloseCode; readonly detail?: string; readonly last?: Uint8Array }
  /** What follows is another stage's. */
  | { readonly kind: 'skip'; readonly used: number; readonly next: Stage }
  /** The same, after an answer that the client must have waited for. */
  | { readonly kind: 'answer'; readonly used: number; readonly answer: Uint8Array; readonly next: Stage }
  /** Whose it is. All bytes of this stage are put back for him. */
  | { readonly kind: 'take'; readonly take: Taker }

export interface Stage {
  /** The next bytes. None come after an answer other than `more`. */
  push(piece: Uint8Array): Step
  /** Whose a connection is that says nothing for so long. */
  readonly silence?: Silence | undefined
}

export interface Silence {
  readonly afterMs: number
  readonly take: Taker
}

export const refuse = (why: CloseCode, detail?: string, last?: Uint8Array): Step => ({
  kind: 'refuse',
  why,
  ...(detail !== undefined && { detail }),
  ...(last && { last }),
})

/** Runs the stages. However the bytes are cut into pieces, they come to the same. */
export class FirstBytes {
  #stage: Stage
  /** Nearly all first flights come in one piece, which is then not copied. */
  #only: Uint8Array | undefined
  #all: Growing | undefined

  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** All that came in this stage. */
  get bytes(): Uint8Array {
    return this.#all?.bytes ?? this.#only ?? new Uint8Array()
  }

  /** While this stage has no byte. */
  get silence(): Silence | undefined {
    return this.#only ? undefined : this.#stage.silence
  }

  push(piece: Uint8Array): Exclude<Step, { kind: 'skip' }> {
    this.#keep(piece)
    let step = this.#stage.push(piece)
    while (step.kind === 'skip') step = this.#enter(step.next, this.bytes.subarray(step.used))
    // Sent in the clear by who knows whom, before it could know the answer.
    if (step.kind === 'answer' && this.bytes.length > step.used) return { kind: 'refuse', why: 'bytes_too_early' }
    if (step.kind === 'answer') this.#enter(step.next, new Uint8Array())
    return step
  }

  #enter(stage: Stage, rest: Uint8Array): Step {
    this.#stage = stage
    this.#all = undefined
    this.#only = rest.length > 0 ? rest : undefined
    return this.#only ? stage.push(rest) : { kind: 'more' }
  }

  #keep(piece: Uint8Array): void {
    if (!this.#only) {
      this.#only = piece
      return
    }
    if (!this.#all) {
      this.#all = new Growing()
      this.#all.append(this.#only)
    }
    this.#all.append(piece)
  }
}

/** What may come here: the stage that reads it from its first byte on, or why it is refused; as it is when it comes. */
export type Wires = { readonly [wire in Wire]: (() => Stage | CloseCode) | CloseCode }

/** What is taken nowhere unless a listener says otherwise. */
export const refusedWires = {
  sslv2: 'sslv2',
  connect: 'plain_connect',
  http: 'plain_http',
  ssh: 'plain_ssh',
  'proxy-v1': 'proxy_header',
  'proxy-v2': 'proxy_header',
  'postgres-ssl': 'plain_postgres',
  'postgres-gssenc': 'plain_postgres',
  'postgres-cancel': 'plain_postgres',
  'postgres-startup': 'plain_postgres',
} as const satisfies Omit<Wires, 'tls'>

/** Looks what the client speaks. */
export class Sniffing implements Stage {
  readonly silence: Silence | undefined
  readonly #wires: Wires
  /** More than one piece only of a client that sends less than twelve bytes at once. */
  #bytes: Uint8Array | undefined

  constructor(wires: Wires, silence?: Silence) {
    this.#wires = wires
    this.silence = silence
  }

  push(piece: Uint8Array): Step {
    const bytes = this.#bytes ? concat(this.#bytes, piece) : piece
    this.#bytes = bytes
    const sniffed = sniff(bytes)
    if (sniffed.kind === 'more') return sniffed
    if (sniffed.kind === 'no') return refuseUnknown(bytes)
    const wire = this.#wires[sniffed.wire]
    const next = typeof wire === 'string' ? wire : wire()
    return typeof next === 'string' ? refuse(next) : { kind: 'skip', used: 0, next }
  }
}

/** The hello's reader says nearer what is wrong with something that is nearly one. */
function refuseUnknown(bytes: Uint8Array): Step {
  const parsed = parseHello(bytes)
  return refuse(parsed.kind === 'invalid' ? parsed.why : 'not_tls')
}

/** Reads a hello, without ending TLS. */
export class HelloStage implements Stage {
  readonly #reader: HelloReader
  readonly #take: (connection: Connection, hello: Hello) => void

  constructor(take: (connection: Connection, hello: Hello) => void, limits?: HelloLimits) {
    this.#take = take
    this.#reader = helloReader(limits)
  }

  push(piece: Uint8Array): Step {
    const parsed = this.#reader.push(piece)
    if (parsed.kind === 'more') return parsed
    if (parsed.kind === 'invalid') return refuse(parsed.why)
    return { kind: 'take', take: (connection) => this.#take(connection, parsed.value) }
  }
}
