/** Many at once: what may happen once must happen once however it is raced. */
export const race = <T>(times: number, one: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: times }, (_, i) => one(i)))

/** How many answers had which status, such as `{ 200: 1, 401: 49 }`. */
export const statuses = (replies: readonly { readonly status: number }[]): Record<number, number> =>
  Object.fromEntries(
    Map.groupBy(replies, ({ status }) => status)
      .entries()
      .map(([status, all]) => [status, all.length]),
  )
