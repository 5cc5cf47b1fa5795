import type { Duration } from '../core/model.ts'

/** What comes of it, or undefined where that takes longer. It goes on. */
export function noLongerThan<T>(most: Duration, doing: Promise<T>): Promise<T | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>()
  const late = setTimeout(() => resolve(undefined), most)
  doing.then(resolve, reject)
  return promise.finally(() => clearTimeout(late))
}
