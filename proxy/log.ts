/** One JSON object a line, as the edge writes them. No secret: never a cookie, a token, a body or a query. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  /** Why something was refused: one of proxy/reasons.ts. */
  readonly code?: string | undefined
  /** The name of a rule of the route table. */
  readonly route?: string | undefined
  readonly request_id?: string | undefined
  readonly [member: string]: string | number | boolean | undefined
}

export type Log = (line: LogLine) => void
