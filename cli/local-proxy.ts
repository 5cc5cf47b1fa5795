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

/** `example`: how to use it. @throws Interrupted at its end */
export async function serveUntilInterrupted(local: LocalProxy, example: string | undefined): Promise<never> {
  const stopped = new Promise<void>((done) => process.once('SIGINT', () => done()))
  print(`listening on 127.0.0.1:${local.port}`)
  if (example !== undefined) say(example)
  await stopped
  local.close()
  throw new Interrupted('stopped, and every session with it')
}

/** 0, which is any that is free, where none is given. @throws Problem usage */
export function portOf(text: string | undefined): number {
  if (text === undefined) return 0
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text)
  throw new Problem('usage', `${text} is not a port`, 'give a number from 1 to 65535')
}
