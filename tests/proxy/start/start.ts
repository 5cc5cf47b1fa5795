/** The proxy as a process, as its users start it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { freePort, root } from '../../runtime/launch.ts'
import { type Ended, endOf } from '../../worker/start/start.ts'
import { atEnd, until } from '../proxy.ts'

const quietEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SALLYPORT_')))

export function spawnProxy(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  stdin: 'ignore' | 'pipe' = 'ignore',
): ChildProcess {
  const child = spawn(process.execPath, [join(root, 'proxy', 'main.ts'), ...args], {
    stdio: [stdin, 'pipe', 'pipe'],
    env: { ...quietEnv, ...env },
  })
  atEnd(() => child.kill('SIGKILL'))
  return child
}

/** Starts it and waits for its end. */
export const start = (env: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<Ended> =>
  endOf(spawnProxy(env, args))

/** Waits for its end, with these pieces as what comes in. */
export function ask(args: readonly string[], pieces: readonly (string | Uint8Array)[]): Promise<Ended> {
  const child = spawnProxy({}, args, 'pipe')
  const ended = endOf(child)
  for (const piece of pieces) child.stdin?.write(piece)
  child.stdin?.end()
  return ended
}

export interface Started {
  readonly child: ChildProcess
  readonly port: number
  readonly ended: Promise<Ended>
}

/** Starts it and waits until it listens. */
export async function startReady(
  env: Readonly<Record<string, string>>,
  port?: number,
  args: readonly string[] = [],
): Promise<Started> {
  const chosen = port ?? (await freePort())
  const child = spawnProxy({ SALLYPORT_PROXY_PORT: String(chosen), ...env }, args)
  const ended = endOf(child, 60_000)
  let said = ''
  child.stdout?.on('data', (part) => {
    said += part
  })
  await until(() => new RegExp(`^proxy ready \\S+:${chosen}\n$`).test(said) || child.exitCode !== null, 15_000)
  if (child.exitCode !== null) throw new Error((await ended).stderr)
  return { child, port: chosen, ended }
}
