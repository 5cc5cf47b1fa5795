import { type Duration, hours, minutes, seconds } from '../model.ts'

const units = [
  ['d', hours(24)],
  ['h', hours(1)],
  ['m', minutes(1)],
  ['s', seconds(1)],
] as const

const shape = /^(?=\d)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?$/
const longest: Duration = hours(24 * 3650)

/** `30s`, `10m`, `1h30m`, `30h0m0s`, `7d`: whole numbers, the larger unit first, ten years at most. Else undefined. */
export function parseDuration(text: string): Duration | undefined {
  const counts = shape.exec(text)?.slice(1)
  if (!counts) return undefined
  const duration = units.reduce((sum, [, unit], at) => sum + Number(counts[at] ?? 0) * unit, 0)
  return duration <= longest ? duration : undefined
}

/**
 * In whole seconds, without parts that are zero. Days only from two on and where they are whole: people, and the tools
 * that share our files, write 24h and 30h.
 */
export function formatDuration(duration: Duration): string {
  const days = hours(24)
  if (duration >= 2 * days && duration % days === 0) return `${duration / days}d`
  const parts = units.slice(1).reduce<{ text: string; left: Duration }>(
    ({ text, left }, [name, unit]) => {
      const count = Math.floor(left / unit)
      return { text: count > 0 ? `${text}${count}${name}` : text, left: left - count * unit }
    },
    { text: '', left: duration },
  )
  return parts.text === '' ? '0s' : parts.text
}
