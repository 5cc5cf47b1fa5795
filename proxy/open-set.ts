/** What is open, and when nothing of it is any more. */
import type { Duration } from '../core/model.ts'

export class OpenSet<T> implements Iterable<T> {
  readonly #all = new Set<T>()
  #emptied: (() => void) | undefined

  get size(): number {
    return this.#all.size
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#all.values()
  }

  /** A function that takes it out again. */
  add(one: T): () => void {
    this.#all.add(one)
    return () => {
      this.#all.delete(one)
      if (this.#all.size === 0) this.#emptied?.()
    }
  }

  /** Waits until nothing is open, and no longer than that. */
  async drained(within: Duration): Promise<void> {
    if (this.#all.size === 0) return
    await new Promise<void>((done) => {
      const timer = setTimeout(done, within)
      this.#emptied = () => {
        clearTimeout(timer)
        done()
      }
    })
  }
}
