/** The figures of planes as they are printed: medians with their spread, ratios of neighbours, and every round. */
import { type Spread, spread } from '../statistics.ts'
import type { Figures } from './measures.ts'
import type { Measured, Round } from './rounds.ts'

const digits = 4

/** `ours` against every other. */
export const sections = (measured: Measured, ours: string) =>
  Object.fromEntries([...measured].map(([name, rounds]) => [name, section(rounds, ours)]))

export function section(rounds: readonly Round[], ours: string) {
  const names = [...(rounds[0]?.keys() ?? [])]
  const peers = names.includes(ours) ? names.filter((name) => name !== ours) : []
  return {
    ...Object.fromEntries(names.map((name) => [name, overRounds(rounds, (round) => round.get(name) ?? {})])),
    ...Object.fromEntries(peers.map((peer) => [`${ours}_against_${peer}`, overRounds(rounds, ratios(ours, peer))])),
    rounds: rounds.map((round) => Object.fromEntries([...round].map(([name, figures]) => [name, rounded(figures)]))),
  }
}

/** Of a round, paired. Cores in use say whether a figure is to be believed, and are compared with nobody's. */
const ratios =
  (ours: string, peer: string) =>
  (round: Round): Figures => {
    const [mine, theirs] = [round.get(ours) ?? {}, round.get(peer) ?? {}]
    const both = Object.entries(mine).filter(([name]) => name in theirs && !name.endsWith('_cores'))
    return Object.fromEntries(both.map(([name, value]) => [name, value / (theirs[name] as number)]))
  }

function overRounds(rounds: readonly Round[], read: (round: Round) => Figures): Record<string, Spread> {
  const all = rounds.map(read)
  const names = Object.keys(all[0] ?? {})
  return Object.fromEntries(
    names.map((name) => [
      name,
      spread(
        all.map((figures) => figures[name] ?? Number.NaN),
        digits,
      ),
    ]),
  )
}

const rounded = (figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(digits))]))
