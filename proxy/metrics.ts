/**
 * Counts why things were refused or ended, and what passed, from the log itself, so that no reason is in one and not in the other.
 * Messages and codes are this proxy's own words, and routes are named in its file: there are only so many. What a client says is no label.
 */
import { Histogram } from './histogram.ts'
import type { Log, LogLine } from './log.ts'

/** A number, or one for each set of labels, written as `name="value"`. A name that ends in `_total` is a counter. */
export type Measures = Readonly<Record<string, number | ReadonlyMap<string, number>>>

export interface Metrics {
  /** Passes each line on and counts it. */
  readonly log: Log
  /** Prometheus text format. */
  text(measures: Measures): string
}

const prefix = 'sallyport_proxy_'

export function countLog(next: Log): Metrics {
  const counts = new Map<string, number>()
  const connections = new Connections()
  return {
    log: (line) => {
      const route = line.route === undefined ? '' : `,route="${line.route}"`
      add(counts, `message="${line.message}",code="${line.code ?? ''}"${route}`, 1)
      if (line.message === 'connection ended') connections.count(line)
      next(line)
    },
    text: (measures) => {
      const all = { log_total: counts, ...connections.measures, ...measures }
      const lines = Object.entries(all).flatMap(([name, value]) => linesOf(name, value))
      return `${[...lines, ...connections.lines].join('\n')}\n`
    },
  }
}

/** What connections were, once they are over. */
class Connections {
  readonly #bytes = new Map<string, number>()
  /** Whether their hellos had a name and protocols. */
  readonly #hellos = new Map<string, number>()
  readonly #lasted = new Histogram([0.01, 0.1, 1, 10, 60, 600, 3600])
  readonly #dialled = new Histogram([0.001, 0.005, 0.02, 0.1, 0.5, 2, 10])

  get measures(): Measures {
    return { bytes_total: this.#bytes, hellos_total: this.#hellos }
  }

  get lines(): readonly string[] {
    return [...this.#lasted.lines(`${prefix}connection_seconds`), ...this.#dialled.lines(`${prefix}dial_seconds`)]
  }

  count(line: LogLine): void {
    const { up, down, route = '', route_ms, dial_ms, ms, sni, alpn } = line
    add(this.#bytes, `route="${route}",direction="up"`, Number(up ?? 0))
    add(this.#bytes, `route="${route}",direction="down"`, Number(down ?? 0))
    if (typeof ms === 'number') this.#lasted.add(ms / 1000)
    if (typeof dial_ms === 'number') this.#dialled.add(dial_ms / 1000)
    if (route_ms !== undefined) add(this.#hellos, `sni="${isThere(sni)}",alpn="${isThere(alpn)}"`, 1)
  }
}

const isThere = (value: unknown): 'yes' | 'no' => (value === undefined ? 'no' : 'yes')

function add(counts: Map<string, number>, labels: string, by: number): void {
  counts.set(labels, (counts.get(labels) ?? 0) + by)
}

function linesOf(name: string, value: number | ReadonlyMap<string, number>): string[] {
  const kind = name.endsWith('_total') ? 'counter' : 'gauge'
  const samples = typeof value === 'number' ? [`${prefix}${name} ${value}`] : [...value].map(sampleOf(name))
  return [`# TYPE ${prefix}${name} ${kind}`, ...samples]
}

const sampleOf =
  (name: string) =>
  ([labels, count]: readonly [string, number]): string =>
    `${prefix}${name}{${labels}} ${count}`
