/**
 * `npm run soak [-- MINUTES]` (10): properties of what strangers send, each with new seeds in turn until the time is over. What fails is shown
 * with its seed, the smallest bytes that do it, and exit code 1.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { properties } from './hostile-bytes.ts'

const runsAtOnce = 1_000

const minutes = Number(parseArgs({ allowPositionals: true }).positionals[0] ?? '10')
if (!(minutes > 0)) {
  process.stderr.write('Usage: npm run soak [-- MINUTES]\n')
  process.exit(2)
}
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
    if (!found.failed) continue
    process.stderr.write(`${name}\nseed ${seed}\n${fc.defaultReportMessage(found)}\n`)
    process.exit(1)
  }
}
const slowest = [...longest].map(([name, ms]) => `${String(Math.round(ms)).padStart(6)} ms  ${name}\n`).join('')
const memory = Math.round(process.memoryUsage.rss() / 2 ** 20)
process.stdout.write(`${runs} runs, none failed; ${memory} MiB; the longest ${runsAtOnce} of each:\n${slowest}`)
