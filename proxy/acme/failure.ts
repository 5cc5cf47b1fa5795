/** Why no certificate came: what stands in the log. */
import type { Duration } from '../../core/model.ts'

export class AcmeFailure extends Error {
  /** The authority's word (RFC 8555 section 6.7), without its prefix. */
  readonly type: string | undefined
  /** Not to be asked again before that. */
  readonly retryAfter: Duration | undefined

  constructor(message: string, { type, retryAfter }: { type?: string; retryAfter?: Duration | undefined } = {}) {
    super(message)
    this.type = type
    this.retryAfter = retryAfter
  }
}
