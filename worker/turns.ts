import { Refusal } from '../core/refusal.ts'

/**
 * Runs work `atOnce` at a time, in order. More than `waiting` that wait are refused: whoever asks next would only wait in vain, and
 * each holds memory. @throws Refusal unavailable
 */
export function turns(atOnce: number, waiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0
  const queue: (() => void)[] = []
  const leave = () => {
    const next = queue.shift()
    // The place is handed on, so that nobody who comes at this moment takes it too.
    if (next) next()
    else running -= 1
  }
  return async (work) => {
    if (running < atOnce) running += 1
    else if (queue.length >= waiting) throw new Refusal('unavailable', { why: 'too many passwords at once' })
    else await new Promise<void>((start) => queue.push(start))
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
