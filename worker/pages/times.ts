import { html } from 'hono/html'
import type { Instant } from '../../core/model.ts'
import type { Html } from './layout.ts'

const utc = { hour: '2-digit', minute: '2-digit', day: 'numeric', month: 'short', timeZone: 'UTC' } as const
const thisYear = new Intl.DateTimeFormat('en-GB', utc)
const otherYear = new Intl.DateTimeFormat('en-GB', { ...utc, year: 'numeric' })

/** In UTC, which is all that the edge knows; a script turns it into the reader's own time. */
export function time(instant: Instant, now: Instant): Html {
  const [at, today] = [new Date(instant), new Date(now)]
  const readable = at.getUTCFullYear() === today.getUTCFullYear() ? thisYear : otherYear
  return html`<time datetime="${at.toISOString()}">${readable.format(at)} UTC</time>`
}
