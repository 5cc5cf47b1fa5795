/** What a proxy of its own process has logged and counted. */

export interface Line {
  readonly level: string
  readonly message: string
  readonly code?: string
  readonly route?: string
  readonly resource?: string
  readonly user?: string
  readonly sni?: string
  readonly alpn?: string
  readonly backend?: string
  readonly connection?: string
  readonly closed_by?: string
  readonly up?: number
  readonly down?: number
}

export const endsOf = (lines: readonly Line[]) => lines.filter(({ message }) => message === 'connection ended')

/** How many there are of each. */
export function countBy<T>(all: readonly T[], keyOf: (one: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const one of all) counts[keyOf(one)] = (counts[keyOf(one)] ?? 0) + 1
  return counts
}

/** The samples of one metric, by their labels as they are written. */
export function samplesOf(text: string, name: string): Record<string, number> {
  const samples = text.matchAll(new RegExp(`^sallyport_proxy_${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))
  return Object.fromEntries([...samples].map(([, labels = '', value]) => [labels, Number(value)]))
}
