/** A local proxy as the commands start one: what is wrong is told before anything listens, and it ends with Ctrl-C. */
import process from 'node:process'
import { SetupProblem } from '../core/setup-problem.ts'
import type { LocalProxy } from '../proxy/local.ts'
import { Interrupted, Problem } from './problem.ts'
import { print, say } from './term.ts'

/** @throws Problem where the port cannot be had */
export async function listening(proxy: Promise<LocalProxy>): Promise<LocalProxy> {
  try {
    return await proxy
  } catch (error) {
    if (error instanceof SetupProblem) throw new Problem('failed', error.message, error.hint, { cause: error })
    throw error
  }
}

export interface Served {
  readonly local: LocalProxy
  /** What it leads to. */
  readonly what: string
  /** How to use it. */
  readonly example: string | undefined
}

/** Starts them one after the other, from that port on; where one fails, the others are closed. @throws Problem */
export async function startAll<T>(
  port: number,
  all: readonly T[],
  start: (one: T, port: number) => Promise<Served>,
): Promise<Served[]> {
  const served: Served[] = []
  try {
    for (const [at, one] of all.entries()) {
      const own = port === 0 ? 0 : port + at
      if (own > highestPort) throw new Problem('usage', `there is no port ${own}`, 'give a lower one with --port')
      served.push(await start(one, own))
    }
    return served
  } catch (error) {
    for (const { local } of served) local.close()
    throw error
  }
}

/** @throws Interrupted at its end */
export async function serveUntilInterrupted(served: readonly Served[]): Promise<never> {
  const stopped = new Promise<void>((done) => process.once('SIGINT', () => done()))
  const isOne = served.length === 1
  for (const { local, what, example } of served) {
    print(`listening on 127.0.0.1:${local.port}${isOne ? '' : ` for ${what}`}`)
    if (example !== undefined) say(example)
  }
  await stopped
  for (const { local } of served) local.close()
  throw new Interrupted('stopped, and every session with it')
}

const highestPort = 65_535

/** 0, which is any that is free, where none is given. @throws Problem usage */
export function portOf(text: string | undefined): number {
  if (text === undefined) return 0
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= highestPort) return Number(text)
  throw new Problem('usage', `${text} is not a port`, 'give a number from 1 to 65535')
}
