/** Counts why things were refused or ended, from the log itself, so that no reason is in one and not in the other. */
import type { Log } from './log.ts'

/** One number, or one for each value of a label. */
export interface Gauge {
  readonly label: string
  readonly values: readonly (readonly [value: string, number: number])[]
}

export interface Metrics {
  /** Passes each line on and counts it. */
  readonly log: Log
  /** Prometheus text format. */
  text(gauges: Readonly<Record<string, number | Gauge>>): string
}

export function countLog(next: Log): Metrics {
  const counts = new Map<string, number>()
  return {
    log: (line) => {
      // Messages and codes are this proxy's own words, and routes are named in its file: there are only so many. What a client says is no label.
      const route = line.route === undefined ? '' : `,route="${line.route}"`
      const labels = `message="${line.message}",code="${line.code ?? ''}"${route}`
      counts.set(labels, (counts.get(labels) ?? 0) + 1)
      next(line)
    },
    text: (gauges) => {
      const lines = ['# TYPE sallyport_proxy_log_total counter']
      for (const [labels, count] of counts) lines.push(`sallyport_proxy_log_total{${labels}} ${count}`)
      for (const [name, value] of Object.entries(gauges)) {
        lines.push(`# TYPE sallyport_proxy_${name} gauge`, ...gaugeLines(`sallyport_proxy_${name}`, value))
      }
      return `${lines.join('\n')}\n`
    },
  }
}

const gaugeLines = (name: string, gauge: number | Gauge): string[] =>
  typeof gauge === 'number'
    ? [`${name} ${gauge}`]
    : gauge.values.map(([value, number]) => `${name}{${gauge.label}="${value}"} ${number}`)
