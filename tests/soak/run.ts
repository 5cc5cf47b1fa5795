/**
 * `npm run soak [-- bytes | reloads | readers | edge [MINUTES]]`: what takes too long for `npm test`. Each prints what it saw, ends what it
 * started, and fails with exit code 1. Without a name it is `bytes`.
 */

import { parseArgs } from 'node:util'

interface Soak {
  /** What the number is, and which one it is where none is given. */
  readonly unit: string
  readonly usual: number
  readonly run: () => Promise<(amount: number) => Promise<string>>
}

const soaks: Readonly<Record<string, Soak>> = {
  bytes: { unit: 'minutes of hostile bytes', usual: 10, run: async () => (await import('./bytes.ts')).bytes },
  reloads: { unit: 'GB across ten reloads each', usual: 10, run: async () => (await import('./reloads.ts')).reloads },
  readers: {
    unit: 'minutes of a thousand stalled readers',
    usual: 10,
    run: async () => (await import('./readers.ts')).readers,
  },
  edge: {
    unit: 'minutes without the edge, at least one',
    usual: 10,
    run: async () => (await import('./edge-gone.ts')).edgeGone,
  },
}

const given = parseArgs({ allowPositionals: true }).positionals
const name = Object.hasOwn(soaks, given[0] ?? '') ? (given.shift() as string) : 'bytes'
const soak = soaks[name] as Soak
const amount = Number(given[0] ?? soak.usual)
if (!(amount > 0) || given.length > 1) {
  const each = Object.entries(soaks).map(([one, { unit, usual }]) => `  ${one.padEnd(8)} [${usual}]  ${unit}\n`)
  process.stderr.write(`Usage: npm run soak [-- NAME [NUMBER]]\n${each.join('')}`)
  process.exit(2)
}
try {
  const saw = await (await soak.run())(amount)
  process.stdout.write(`${name}: ${saw}\n`)
} catch (error) {
  process.stderr.write(`${name} failed: ${(error as Error).stack}\n`)
  process.exitCode = 1
}
