/**
 * Several ways to the same end, begun one after the other without waiting for those before: the first that gets there counts
 * (RFC 8305 section 5). Node's own `autoSelectFamily` gives up each attempt when it begins the next, so a slow network has none.
 */
import type { Duration } from '../core/model.ts'

interface Closable {
  destroy(): void
}

export type Attempt<T> = (over: AbortSignal) => Promise<T | Error>

/** The next begins when one has failed, or after `stagger`. The last failure where none succeeds; undefined where there was none to make. */
export function race<T extends Closable>(
  attempts: readonly Attempt<T>[],
  stagger: Duration,
  signal: AbortSignal,
): Promise<T | Error | undefined> {
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  return new Promise((done) => {
    let [begun, failed, isWon] = [0, 0, false]
    let timer: NodeJS.Timeout | undefined
    const finish = (outcome: T | Error | undefined) => {
      clearTimeout(timer)
      done(outcome)
    }
    const arrived = (outcome: T | Error) => {
      if (!(outcome instanceof Error)) {
        // Two may get there in one turn.
        if (isWon) return outcome.destroy()
        isWon = true
        over.abort()
        return finish(outcome)
      }
      failed += 1
      if (isWon) return
      if (failed === attempts.length || signal.aborted) finish(outcome)
      else if (begun < attempts.length) next()
    }
    const next = () => {
      clearTimeout(timer)
      const attempt = attempts[begun++]
      if (begun < attempts.length) timer = setTimeout(next, stagger)
      attempt?.(either).then(arrived)
    }
    if (attempts.length === 0) finish(undefined)
    else next()
  })
}
