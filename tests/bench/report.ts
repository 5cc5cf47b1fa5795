/** What every benchmark answers, with all that is needed to judge it. */
import { cpus } from 'node:os'
import type { Unit } from './contender.ts'
import { type Figures, named } from './load.ts'
import type { Measured, Round } from './rounds.ts'
import { type Spread, spread } from './statistics.ts'

export const durable = 'SQLite file, journal_mode=WAL, synchronous=FULL'
export const sharedCores = 'The load generator shares the cores with the server it measures.'

export const machine = () => ({
  node: process.version,
  cpus: cpus().length,
  cpu: cpus()[0]?.model,
  platform: process.platform,
})

/** Of those that ran. */
export function durabilityOf(contenders: readonly { name: string }[], of: Readonly<Record<string, string>>) {
  return Object.fromEntries(contenders.map(({ name }) => [name, of[name]]))
}

/** `pairs`: who is compared with whom, where both ran. */
export function section({ unit, rounds }: Measured, pairs: readonly (readonly [string, string])[]) {
  const names = [...(rounds[0]?.figures.keys() ?? [])]
  const both = pairs.filter((pair) => pair.every((name) => names.includes(name)))
  return {
    openssl_p256_verifies_per_second: spread(
      rounds.map(({ verifiesPerSecond }) => verifiesPerSecond),
      0,
    ),
    ...Object.fromEntries(names.map((name) => [name, summary(unit, name, rounds)])),
    ...Object.fromEntries(both.map(([ours, peer]) => [`${ours}_against_${peer}`, ratios(unit, rounds, ours, peer)])),
    rounds: rounds.map(({ verifiesPerSecond, figures }) => ({
      verifies_per_second: verifiesPerSecond,
      ...Object.fromEntries([...figures].map(([name, found]) => [name, named(unit, found)])),
    })),
  }
}

function summary({ one, many }: Unit, name: string, rounds: readonly Round[]): Record<string, Spread> {
  const each = (value: (figures: Figures, verifies: number) => number, digits: number) =>
    spread(
      rounds.map((round) => value(figuresOf(name, round), round.verifiesPerSecond)),
      digits,
    )
  return {
    [`${many}_per_second`]: each(({ perSecond }) => perSecond, 0),
    p50_ms: each(({ p50 }) => p50, 1),
    p99_ms: each(({ p99 }) => p99, 1),
    [`server_cpu_ms_per_${one}`]: each(({ serverCpu }) => serverCpu, 3),
    [`load_cpu_ms_per_${one}`]: each(({ loadCpu }) => loadCpu, 3),
    share_of_verify_bound: each(({ perSecond }, verifies) => perSecond / verifies, 3),
    share_of_cpu_that_one_verify_needs: each(({ serverCpu }, verifies) => 1000 / verifies / serverCpu, 3),
  }
}

/** Paired: each round's own ratio. Above 1 is better for what is done a second, below 1 for the others. */
function ratios({ one, many }: Unit, rounds: readonly Round[], ours: string, peer: string): Record<string, Spread> {
  const ratio = (value: (figures: Figures) => number) =>
    spread(rounds.map((round) => value(figuresOf(ours, round)) / value(figuresOf(peer, round))))
  return {
    [`${many}_per_second`]: ratio(({ perSecond }) => perSecond),
    p50_ms: ratio(({ p50 }) => p50),
    p99_ms: ratio(({ p99 }) => p99),
    [`server_cpu_ms_per_${one}`]: ratio(({ serverCpu }) => serverCpu),
  }
}

function figuresOf(name: string, { figures }: Round): Figures {
  const found = figures.get(name)
  if (!found) throw new Error(`no figures of ${name}`)
  return found
}
