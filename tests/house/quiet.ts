/** Child processes whose output is shown only when they fail. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export type Quiet = { ok: boolean; output: string }

const longest = 15 * 60_000

interface Otherwise {
  readonly cwd?: string
  /** ms */
  readonly timeout?: number
}

export function quietly(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
  { cwd = root, timeout = longest }: Otherwise = {},
): Quiet {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 256 * 1024 * 1024,
    timeout,
  })
  const end = signal ? `\nended by ${signal}\n` : ''
  return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}${end}${error ? `${error.message}\n` : ''}` }
}

/** This very Node, so that a step does not depend on what PATH holds. */
export function quietNode(args: readonly string[], env?: Record<string, string>): Quiet {
  return quietly(process.execPath, args, env)
}
