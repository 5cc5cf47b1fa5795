/** Runs another program in this one's place: it has the terminal, and what comes to this one goes on to it. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import process from 'node:process'
import { Problem } from './problem.ts'

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** The first of them that is installed. @throws Problem `missing` where none is */
export async function runFirst(
  [name, ...others]: readonly [string, ...string[]],
  args: readonly string[],
  missing: Problem,
): Promise<number> {
  try {
    return await runProgram(name, args, missing)
  } catch (error) {
    const [next, ...rest] = others
    if (error !== missing || next === undefined) throw error
    return runFirst([next, ...rest], args, missing)
  }
}

/** Its exit code; of a signal, what a shell makes of it. @throws Problem `missing` where there is no such program */
export function runProgram(name: string, args: readonly string[], missing: Problem): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const child = spawn(name, args, { stdio: 'inherit' })
  const passOn = (signal: NodeJS.Signals) => {
    // A terminal sends these to every program in it.
    const hasIt = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT')
    if (!hasIt) child.kill(signal)
  }
  const handlers = passedOn.map((signal) => [signal, () => passOn(signal)] as const)
  for (const [signal, handler] of handlers) process.on(signal, handler)
  child.once('error', (error: { code?: string }) => {
    const problem = new Problem('failed', `${name} cannot be started (${error.code})`, 'check the program', {
      cause: error,
    })
    reject(error.code === 'ENOENT' ? missing : problem)
  })
  child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  return promise.finally(() => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  })
}
