/**
 * Properties of what strangers send, each with new seeds in turn until the time is over. What fails is shown with its seed and the smallest
 * bytes that do it.
 */
import fc from 'fast-check'
import { properties } from './hostile-bytes.ts'

const runsAtOnce = 1_000

export async function bytes(minutes: number): Promise<string> {
  const until = Date.now() + minutes * 60_000
  const longest = new Map<string, number>()
  let runs = 0
  while (Date.now() < until) {
    for (const [name, holds] of properties) {
      const seed = Math.floor(Math.random() * 2 ** 31)
      const from = performance.now()
      const found = fc.check(holds, { numRuns: runsAtOnce, seed })
      longest.set(name, Math.max(longest.get(name) ?? 0, performance.now() - from))
      runs += found.numRuns
      if (found.failed) throw new Error(`${name}\nseed ${seed}\n${fc.defaultReportMessage(found)}`)
    }
  }
  const slowest = [...longest].map(([name, ms]) => `${String(Math.round(ms)).padStart(6)} ms  ${name}\n`).join('')
  const memory = Math.round(process.memoryUsage.rss() / 2 ** 20)
  return `${runs} runs, none failed; ${memory} MiB; the longest ${runsAtOnce} of each:\n${slowest}`
}
