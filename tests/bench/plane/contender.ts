import type { Server } from '../servers.ts'
import type { Child } from './child.ts'
import type { Asked, Done } from './load-process.ts'
import type { Reach } from './openers.ts'

export type Load = Child<Asked, Done>

/** What every contender of a benchmark is given. */
export interface Ground {
  /** Its own, and empty. */
  readonly folder: string
  /** The backend's port on 127.0.0.1. */
  readonly backend: number
  /** The one certificate that all of them end TLS with. */
  readonly certificate: Certificate
  readonly load: Load
  /** For the Node process that is measured, such as what profiles it. */
  readonly nodeArgs: readonly string[]
}

/** Files, and what the first holds. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  /** Both in one, as HAProxy wants it. */
  readonly both: string
  readonly pem: string
}

export interface Contender {
  readonly name: string
  readonly setup: string
  /** Why it cannot be measured here. */
  missing?(): string | undefined
  start(ground: Ground): Promise<Started>
}

export interface Started {
  /** Whose CPU and memory count. undefined: nobody stands between load and backend. */
  readonly server: Server | undefined
  /** What works beside it, such as the edge that it tells of its sessions: it takes cores, and counts for nobody. */
  readonly beside?: Server
  /** Made anew before each stretch, outside of what is measured: enough for so many openings. */
  reach(openings: number): Promise<Reach>
  stop(): Promise<void>
}
