/** What is measured of a contender: each of these is a stretch of its own, and says its figures by name. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Load, Started } from './contender.ts'
import type { Done } from './load-process.ts'
import { cpuOf, memoryOf } from './processes.ts'
import type { Part } from './wire.ts'

/** Names end in their unit. */
export type Figures = Readonly<Record<string, number>>

export interface Course {
  readonly started: Started
  readonly load: Load
  /** The backend's process. */
  readonly backend: number
  /** Of a stretch. */
  readonly ms: number
  /** Openings at a time. */
  readonly concurrency: number
}

export interface Measure {
  readonly name: string
  run(course: Course): Promise<Figures>
}

/** More than the best contender with grants opens in a ms: grants that are not used expire. */
const grantsForMs = 0.6
const settleMs = 300

export const connections: Measure = {
  name: 'connections',
  run: async (course) => {
    const { load, ms, concurrency } = course
    await reach(course, Math.ceil(ms * grantsForMs) + concurrency)
    const { done, spent } = await watched(course, () => load.ask({ what: 'openings', ms, atOnce: concurrency }))
    const { count = 0, p50 = 0, p99 = 0 } = done
    return {
      connections_per_second: (count * 1000) / done.ms,
      p50_ms: p50,
      p99_ms: p99,
      ...(spent.proxy !== undefined && { proxy_cpu_s_per_1000: spent.proxy / count }),
      ...busy(spent, done),
    }
  },
}

export const bulk = (what: 'upload' | 'download', count: number): Measure => ({
  name: `${what}_${count}`,
  run: async (course) => {
    const { load, ms } = course
    await hold(course, what === 'upload' ? 'sink' : 'source', count)
    const { done, spent } = await watched(course, () => load.ask({ what, ms }))
    await load.ask({ what: 'release' })
    const gigabytes = (done.bytes ?? 0) / 1e9
    return {
      mb_per_second: (gigabytes * 1e6) / done.ms,
      ...(spent.proxy !== undefined && { proxy_cpu_s_per_gb: spent.proxy / 1000 / gigabytes }),
      ...busy(spent, done),
    }
  },
})

export const roundTrips = (connected: number): Measure => ({
  name: `round_trips_${connected}`,
  run: async (course) => {
    const { load, ms } = course
    await hold(course, 'echo', connected)
    const { done, spent } = await watched(course, () => load.ask({ what: 'to_and_fro', ms }))
    await load.ask({ what: 'release' })
    const { count = 0, p50 = 0, p99 = 0 } = done
    return {
      round_trips_per_second: (count * 1000) / done.ms,
      p50_ms: p50,
      p99_ms: p99,
      ...(spent.proxy !== undefined && { proxy_cpu_s_per_million: (spent.proxy * 1000) / count }),
      ...busy(spent, done),
    }
  },
})

/** What a process grows by. One that has worked before has room for it already. */
export const idle = (count: number): Measure => ({
  name: `idle_${count}`,
  run: async (course) => {
    const before = memoryOfServer(course.started)
    await hold(course, 'echo', count)
    await sleep(settleMs)
    const after = memoryOfServer(course.started)
    await course.load.ask({ what: 'release' })
    if (before === undefined || after === undefined) return {}
    return { proxy_mb_before: before / 1024, proxy_mb: after / 1024, proxy_kb_per_connection: (after - before) / count }
  },
})

const memoryOfServer = ({ server }: Started) => (server ? memoryOf(server.pid) : undefined)

async function reach({ started, load }: Course, openings: number): Promise<void> {
  await load.ask({ what: 'reach', reach: await started.reach(openings) })
}

async function hold(course: Course, part: Part, count: number): Promise<void> {
  await reach(course, count)
  await course.load.ask({ what: 'hold', part, count, atOnce: Math.min(course.concurrency, count) })
}

/** ms of CPU. */
interface Spent {
  readonly proxy?: number
  readonly beside?: number
  readonly load: number
  readonly backend: number
}

async function watched({ started, load, backend }: Course, work: () => Promise<Done>) {
  const { server, beside } = started
  const look = (): Spent => ({
    ...(server && { proxy: cpuOf(server.pid) }),
    ...(beside && { beside: cpuOf(beside.pid) }),
    load: cpuOf(load.pid),
    backend: cpuOf(backend),
  })
  const before = look()
  const done = await work()
  return { done, spent: difference(look(), before) }
}

const difference = (after: Spent, before: Spent): Spent => ({
  ...(after.proxy !== undefined && { proxy: after.proxy - (before.proxy ?? 0) }),
  ...(after.beside !== undefined && { beside: after.beside - (before.beside ?? 0) }),
  load: after.load - before.load,
  backend: after.backend - before.backend,
})

/** Cores in use: where it is the load or the backend that uses one whole, it is they who are measured. */
const busy = (spent: Spent, { ms }: Done): Figures =>
  Object.fromEntries(Object.entries(spent).map(([name, cpu]) => [`${name}_cores`, cpu / ms]))
