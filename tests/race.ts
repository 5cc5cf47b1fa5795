/** Many at once: what may happen once must happen once however it is raced. */
export const race = <T>(times: number, one: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: times }, (_, i) => one(i)))

/** How many answers had which status, such as `{ 200: 1, 401: 49 }`. */
export function statuses(replies: readonly { readonly status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
