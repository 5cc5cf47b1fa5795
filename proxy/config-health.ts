/** `health` of a route: how its backends are looked at. */
import { formatDuration, parseDuration } from '../core/access/duration.ts'
import { fields, optional, type Read, refined, tellExpected } from '../core/access/fields.ts'
import { into, quoted, tell } from '../core/access/place.ts'
import { anyText } from '../core/access/text.ts'
import { type Duration, hours, seconds } from '../core/model.ts'
import type { HealthCheck } from './health.ts'

export interface HealthEntry {
  readonly interval?: Duration
  readonly timeout?: Duration
  readonly rise?: number
  readonly fall?: number
}

/** HAProxy rises after 2 and falls after 3; caddy-l4 waits 5 s for an answer. */
const defaults: HealthCheck = { interval: seconds(10), timeout: seconds(5), rise: 2, fall: 3 }

/** A duration from one second on. */
export const time = (longest: Duration): Read<Duration> =>
  refined(anyText, (text, place) => {
    const duration = parseDuration(text)
    const isRight = duration !== undefined && duration > 0 && duration <= longest
    return isRight
      ? duration
      : tell(place, `${quoted(text)}: expected a duration up to ${formatDuration(longest)}, such as 10s`)
  })

const count: Read<number> = (json, place) => {
  if (typeof json !== 'number') return tellExpected(json, place, 'a number')
  return Number.isInteger(json) && json >= 1 && json <= 100
    ? json
    : tell(place, `${json}: expected a number from 1 to 100`)
}

export const healthEntry: Read<HealthEntry> = refined(
  fields<HealthEntry>('health', {
    interval: optional(time(hours(1))),
    timeout: optional(time(hours(1))),
    rise: optional(count),
    fall: optional(count),
  }),
  (read, place) => {
    const { interval, timeout } = { ...defaults, ...read }
    if (timeout > interval) tell(into(place, 'timeout'), 'longer than interval: looks at one backend would overlap')
    return read
  },
)

/** One backend alone is dialled whether or not it answered before: there is no other to choose. Unless it is asked for. */
export const healthOf = ({
  backends,
  health,
}: {
  readonly backends: readonly string[]
  readonly health?: HealthEntry
}) => (backends.length > 1 || health ? { ...defaults, ...health } : undefined)
