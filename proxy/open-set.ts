/** What is open, and when nothing of it is any more. */
import type { Duration } from '../core/model.ts'

export class OpenSet<T> implements Iterable<T> {
  readonly #all = new Set<T>()
  readonly #waiting = new Set<() => void>()

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
      if (this.#all.size === 0) for (const emptied of this.#waiting) emptied()
    }
  }

  /** Waits until nothing is open, and no longer than that. */
  async drained(within: Duration): Promise<void> {
    if (this.#all.size === 0) return
    await new Promise<void>((done) => {
      const emptied = () => {
        clearTimeout(timer)
        this.#waiting.delete(emptied)
        done()
      }
      const timer = setTimeout(emptied, within)
      this.#waiting.add(emptied)
    })
  }
}
