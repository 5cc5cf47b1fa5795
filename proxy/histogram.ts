/** How often a figure was at most so large, as Prometheus wants it: each bucket counts those below it too. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  add(figure: number): void {
    this.#sum += figure
    this.#count += 1
    this.#bounds.forEach((bound, at) => {
      if (figure <= bound) this.#counts[at] = (this.#counts[at] as number) + 1
    })
  }

  lines(name: string): readonly string[] {
    const buckets = this.#bounds.map((bound, at) => `${name}_bucket{le="${bound}"} ${this.#counts[at]}`)
    return [
      `# TYPE ${name} histogram`,
      ...buckets,
      `${name}_bucket{le="+Inf"} ${this.#count}`,
      `${name}_sum ${this.#sum}`,
      `${name}_count ${this.#count}`,
    ]
  }
}
