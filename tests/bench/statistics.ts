/** Medians with their spread: a mean would hide a round in which the machine was busy with something else. */
export type Spread = { median: number; min: number; max: number }

export function spread(values: readonly number[], digits = 2): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const round = (value: number) => Number(value.toFixed(digits))
  return {
    median: round(percentile(sorted, 0.5)),
    min: round(percentile(sorted, 0)),
    max: round(percentile(sorted, 1)),
  }
}

/** The nearest rank of a sorted list; NaN of an empty one. */
export function percentile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? Number.NaN
}
