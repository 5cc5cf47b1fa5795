/** What a request handler of the edge can reach, and what it knows of its request. */
import type { Context, Hono } from 'hono'
import type { Asking, Site } from '../core/model.ts'
import type { Clients } from '../core/oauth/clients.ts'
import type { Ports } from '../core/ports.ts'
import type { FailureLimit } from './limits.ts'
import type { Assets } from './pages/layout.ts'

export interface Edge {
  readonly site: Site
  readonly ports: Ports
  readonly assets: AssetStore
  /** Programs that may ask for tokens. */
  readonly clients: Clients
  /** Ceremonies of one address that failed, of those that anybody may begin. */
  readonly attempts: FailureLimit
  /** Calls of programs of one address that failed. Apart from the others: a script with a dead token keeps nobody from signing in. */
  readonly programs: FailureLimit
  /** Device codes that one address asked for: anybody may, so each counts. */
  readonly deviceCodes: FailureLimit
  /** User codes that nobody has, of one address, and of one browser session. */
  readonly userCodes: FailureLimit
  /** Audit rows about refusals of one address. */
  readonly noise: FailureLimit
  readonly log: (line: LogLine) => void
  /** Whether the server cuts a body at the length that it announces, as Node's parser does. */
  readonly lengthsHold: boolean
  /** Where the platform says that a request comes from. */
  readonly whereOf: (c: Context) => { readonly address: string; readonly place: string }
  /** Whether the database answers and is this cluster's. Asked once, and again after a failure. */
  readonly ready: () => Promise<void>
}

/** Scripts, style and mark: Workers assets, or a folder elsewhere. */
export interface AssetStore extends Assets {
  fetch(path: string): Promise<Response | undefined>
}

/** One JSON object a line. No secret: never a cookie, a ticket, a body or a query. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly request_id?: string
  readonly [member: string]: string | number | boolean | undefined
}

export type Variables = { asking: Asking; code?: string }
export type App = Hono<{ Variables: Variables }>
export type EdgeContext = Context<{ Variables: Variables }>
