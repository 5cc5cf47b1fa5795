/** What a process and its children take of the machine, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs'

/**
 * CPU time in ms since their start, all threads together. By the scheduler's own count in nanoseconds: /proc/PID/stat counts ticks of
 * 10 ms, which is two per cent of a stretch. Threads that have ended are not in it; none of those measured here ends any.
 */
export function cpuOf(pid: number): number {
  const own = tasksOf(pid).map((task) => nanoseconds(read(`/proc/${pid}/task/${task}/schedstat`)))
  return own.reduce((all, one) => all + one, 0) / 1e6 + sum(childrenOf(pid).map(cpuOf))
}

/** Proportional set size in KiB: what is shared counts in part. The kernel's own memory for sockets is not in it. */
export function memoryOf(pid: number): number {
  const own = kibibytesOf('Pss', read(`/proc/${pid}/smaps_rollup`))
  return own + sum(childrenOf(pid).map(memoryOf))
}

/** The first field is the time on a CPU (Documentation/scheduler/sched-stats.rst). */
export const nanoseconds = (schedstat: string): number => Number(schedstat.split(' ', 1)[0])

export const kibibytesOf = (name: string, rollup: string): number =>
  Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(rollup)?.[1])

function childrenOf(pid: number): number[] {
  const lists = tasksOf(pid).map((task) => read(`/proc/${pid}/task/${task}/children`))
  return lists.flatMap((list) =>
    list
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  )
}

const tasksOf = (pid: number): string[] => readdirSync(`/proc/${pid}/task`)
const read = (file: string): string => readFileSync(file, 'latin1')
const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0)
