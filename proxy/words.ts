/** Times as people read them. */
import { type Duration, hours, minutes, seconds } from '../core/model.ts'

export function inWords(duration: Duration): string {
  if (duration >= hours(2)) return `${Math.round(duration / hours(1))} hours`
  if (duration >= minutes(2)) return `${Math.round(duration / minutes(1))} minutes`
  const count = Math.round(duration / seconds(1))
  return count === 1 ? '1 second' : `${count} seconds`
}
