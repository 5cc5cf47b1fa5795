/** A benchmark of planes from its options to its report. */
import { installDebianPackages } from '../../house/debian.ts'
import { readOptions } from '../options.ts'
import { machine, sharedCores } from '../report.ts'
import type { Contender } from './contender.ts'
import { bulk, connections, idle, roundTrips } from './measures.ts'
import { debianPackages, versions } from './peers.ts'
import { sections } from './report.ts'
import { compete } from './rounds.ts'

interface Plan {
  readonly benchmark: string
  readonly ours: Contender
  readonly others: readonly Contender[]
  /** Openings at a time. */
  readonly concurrency: number
  /** Connections that are only held. */
  readonly idle: number
  readonly differences: readonly string[]
}

const each = [
  connections,
  bulk('upload', 1),
  bulk('upload', 16),
  bulk('download', 1),
  bulk('download', 16),
  roundTrips(100),
]

const differences = [
  sharedCores,
  'So does the backend: where load_cores or backend_cores is near 1, or all cores are in use, it is they who are measured a second, and the CPU figures of the proxy alone compare.',
  'One thread of each proxy works. Nobody is bound to a CPU.',
]

export async function comparePlanes(plan: Plan, args: readonly string[]): Promise<unknown> {
  const { ours, others, concurrency } = plan
  installDebianPackages(debianPackages)
  const { settings, contenders } = readOptions(args, { rounds: 3, seconds: 12, concurrency }, [ours, ...others])
  const present = contenders.filter(({ missing }) => missing?.() === undefined)
  const measured = await compete(present, { fresh: idle(plan.idle), each }, settings)
  return {
    benchmark: plan.benchmark,
    machine: { ...machine(), ...versions() },
    settings: {
      rounds: settings.rounds,
      seconds_a_contender_and_round: settings.seconds,
      concurrent_openings: settings.concurrency,
      profiled: settings.cpuProf,
    },
    setups: Object.fromEntries(present.map(({ name, setup }) => [name, setup])),
    skipped: Object.fromEntries(contenders.flatMap(({ name, missing }) => (missing?.() ? [[name, missing()]] : []))),
    differences: [...plan.differences, ...differences],
    ...sections(measured, ours.name),
  }
}
