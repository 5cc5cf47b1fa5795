/** Waiting for a person who answers in a browser: it ends with Ctrl-C, when it takes too long, or when somebody else says so. */
import process from 'node:process'
import { Interrupted, Problem } from './problem.ts'

export interface Patience {
  readonly ms: number
  /** Why it ends then, in words. */
  readonly over: string
}

export interface End {
  /** Rejects at the end. */
  readonly reached: Promise<never>
  /** The same, for what waits by itself. */
  readonly signal: AbortSignal
  /** Nothing is waited for any more. */
  forget(): void
}

/** `outer` ends the wait too, with its reason. */
export function endOfWaiting({ ms, over }: Patience, outer?: AbortSignal): End {
  const { promise: reached, reject } = Promise.withResolvers<never>()
  // Until somebody races it, a rejection has nobody who handles it.
  reached.catch(() => undefined)
  const ending = new AbortController()
  const end = (reason: unknown) => {
    reject(reason)
    ending.abort(reason)
  }
  const interrupted = () => end(new Interrupted('stopped, nothing was changed'))
  const late = setTimeout(() => end(new Problem('failed', over, 'try again')), ms)
  process.once('SIGINT', interrupted)
  const aborted = () => end(outer?.reason)
  outer?.addEventListener('abort', aborted)
  if (outer?.aborted) aborted()
  const forget = () => {
    clearTimeout(late)
    outer?.removeEventListener('abort', aborted)
    process.off('SIGINT', interrupted)
  }
  return { reached, signal: ending.signal, forget }
}
