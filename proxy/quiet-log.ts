/**
 * Strangers cannot fill the log: of connections of one network that end for one reason before they have reached anything, the first in a
 * minute has its line, and the others are told together when the minute is over.
 */
import { networkOf } from '../core/lib/network.ts'
import { type Duration, minutes } from '../core/model.ts'
import type { Log, LogLine } from './log.ts'

export interface QuietLog {
  readonly log: Log
  /** Writes what was only counted so far. */
  flush(): void
}

interface Kept {
  readonly network: string
  readonly code: string
  count: number
}

/** More networks than that in one minute are told as one. */
const mostNetworks = 1000

export function quieten(write: Log, every: Duration = minutes(1)): QuietLog {
  const kept = new Map<string, Kept>()
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    const all = [...kept.values()].filter(({ count }) => count > 0)
    kept.clear()
    for (const { network, code, count } of all)
      write({ level: 'info', message: 'connections ended alike', code, network, count })
  }
  /** Whether it is the first of its kind. */
  const isFirst = (network: string, code: string): boolean => {
    const isFull = kept.size >= mostNetworks
    const key = `${network} ${code}`
    const one = kept.get(key) ?? (isFull ? kept.get('others') : undefined)
    if (one) {
      one.count += 1
      return false
    }
    if (isFull) kept.set('others', { network: 'others', code: 'several', count: 1 })
    else kept.set(key, { network, code, count: 0 })
    timer ??= setTimeout(flush, every).unref()
    return !isFull
  }
  return {
    flush,
    log: (line) => {
      const { code } = line
      if (code === undefined || !isOfStranger(line) || isFirst(networkOf(String(line['address'])), code)) write(line)
    },
  }
}

/** Who has reached nothing. What is wrong with a backend is no stranger's doing. */
const isOfStranger = ({ message, code, ...line }: LogLine): boolean =>
  message === 'connection ended' && code !== 'ended' && line['backend'] === undefined && line['user'] === undefined
