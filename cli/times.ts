/** Seconds since 1970, as the wire has them, for people and for programs. */

/** RFC 3339. */
export const timestamp = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')

/** `2026-01-02 15:04:05 UTC`. */
export const readable = (seconds: number): string => timestamp(seconds).replace('T', ' ').replace('Z', ' UTC')

/** `2026-01-02 15:04:05 UTC (in 11 h 59 min)`. */
export function readableUntil(seconds: number, now: number): string {
  const left = seconds - now
  return `${readable(seconds)} (${left <= 0 ? 'over' : `in ${duration(left)}`})`
}

function duration(seconds: number): string {
  const minutes = Math.max(1, Math.round(seconds / 60))
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60]
  return hours === 0 ? `${rest} min` : `${hours} h ${rest} min`
}
