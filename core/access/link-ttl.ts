/** How long one-time links live. */
import { type Duration, hours, minutes, seconds } from '../model.ts'
import { Refusal } from '../refusal.ts'

const shortest: Duration = minutes(1)

/** `ttl`: seconds; undefined is the usual one. */
type Ttl = (ttl: number | undefined) => Duration

const between =
  (usual: Duration, longest: Duration, code: 'invite_ttl' | 'reset_ttl'): Ttl =>
  (ttl) => {
    const duration = ttl === undefined ? usual : seconds(ttl)
    if (duration < shortest || duration > longest) throw new Refusal(code)
    return duration
  }

/** @throws Refusal invite_ttl */
export const inviteTtl: Ttl = between(hours(1), hours(48), 'invite_ttl')
/** @throws Refusal reset_ttl */
export const resetTtl: Ttl = between(hours(8), hours(24), 'reset_ttl')
