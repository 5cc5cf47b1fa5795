/** Starts the built edge on each runtime, as its users do. Every process that is started here is ended here. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

export const root = join(import.meta.dirname, '..', '..')
const bin = (name: string) => join(root, 'node_modules', '.bin', name)

export interface Running {
  readonly origin: string
  /** The secret of the first administrator's link, until it is used. */
  readonly secret: string | undefined
  readonly home: string
  readonly child: ChildProcess
  /** What it printed so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** Ends it as Ctrl-C does, and answers its exit code. */
  stop(): Promise<number | null>
}

export type Runtime = 'node' | 'deno' | 'bun'

/** The programs themselves: the launchers in .bin start them as children, which a signal to the launcher leaves behind. */
function programIn(scope: string, name: string): string {
  const folder = join(root, 'node_modules', scope)
  const platform = `${process.platform}-${process.arch === 'arm64' ? 'a' : process.arch}`
  const found = existsSync(folder)
    ? readdirSync(folder).find((one) => one.includes(platform) && !one.includes('musl'))
    : undefined
  return join(folder, found ?? 'none', name)
}

/** Its install script moves the program out of the platform's package; without scripts it stays there. */
function installedBun(): string {
  const moved = join(root, 'node_modules', 'bun', 'bin', 'bun.exe')
  const kept = programIn('@oven', 'bin/bun')
  return existsSync(kept) ? kept : moved
}

const commands: Record<Runtime, readonly string[]> = {
  node: [process.execPath],
  deno: [programIn('@deno', 'deno'), 'run', '--allow-all', '--no-prompt'],
  bun: [installedBun(), 'run'],
}

/** What this machine lacks to run it; undefined when it runs. */
export function missing(runtime: Runtime | 'workerd'): string | undefined {
  const program = runtime === 'workerd' ? bin('wrangler') : (commands[runtime][0] as string)
  if (!existsSync(program)) return `${runtime} is not installed`
  const { status } = spawnSync(program, ['--version'], { stdio: 'ignore', env: quietEnv })
  return status === 0 ? undefined : `${runtime} does not run on this machine`
}

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sallyport-test-'))

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < portsEach; tries++) {
    const port = firstPort + (nextPort++ % portsEach)
    if (await canListen(port)) return port
  }
  throw new Error('no port is free')
}

/** Below those that systems give to whoever dials, and for each worker of its own: so nobody takes one between the look and its use. */
const portsEach = 1000
const firstPort = 12_000 + (Number(process.env['VITEST_POOL_ID'] ?? 0) % 20) * portsEach
let nextPort = Math.floor(Math.random() * portsEach)

function canListen(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((done) => {
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}

interface Options {
  readonly home?: string
  readonly port?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Nothing of this machine's own settings gets into an edge under test. */
const quietEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SALLYPORT_')))

/** Runs one of our sources to its end, and answers what it printed. */
export function runScript(runtime: Runtime, script: string, args: readonly string[]): string {
  const [command = '', ...before] = commands[runtime]
  const ran = spawnSync(command, [...before, join(root, script), ...args], { env: quietEnv, encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(`${script} on ${runtime} ended with ${ran.status}: ${ran.stderr}`)
  return ran.stdout
}

export function spawnServe(runtime: Runtime, env: Readonly<Record<string, string>>): ChildProcess {
  const [command = '', ...args] = commands[runtime]
  const script = join(root, 'dist', 'edge', 'serve.js')
  return spawn(command, [...args, script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...quietEnv, DENO_NO_UPDATE_CHECK: '1', ...env },
  })
}

export async function launchServe(
  runtime: Runtime,
  { home = newFolder(), port, env = {} }: Options = {},
): Promise<Running> {
  const chosen = port ?? (await freePort())
  const settings = {
    SALLYPORT_HOME: home,
    SALLYPORT_EDGE_PORT: String(chosen),
    SALLYPORT_LOGIN_LIMIT: '100000',
    ...env,
  }
  const child = spawnServe(runtime, settings)
  return ready(child, home, `http://localhost:${chosen}`)
}

/** Waits for its lines. A child that ends before is an error with what it said. */
export async function ready(
  child: ChildProcess,
  home: string,
  origin: string,
  lines = /edge ready [^\n]+\n/,
): Promise<Running> {
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  const stop = () => {
    child.kill('SIGINT')
    return ended
  }
  const deadline = Date.now() + 60_000
  while (!lines.test(stdout())) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`The edge did not get ready (exit ${child.exitCode}).\n${stdout()}\n${stderr()}`)
    }
    await new Promise((next) => setTimeout(next, 20))
  }
  const secret = /first administrator: \S+#(\S+)/.exec(stdout())?.[1]
  return { origin, secret, home, child, stdout, stderr, stop }
}

function collect(stream: ChildProcess['stdout']): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return () => text
}

export const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true })

/** workerd with D1 and KV, by the project's own wrangler.toml. The link is offered as an operator would, with init --url. */
export async function launchWorkerd(): Promise<Running> {
  const home = newFolder()
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
  const wrangler = bin('wrangler')
  const env = { ...quietEnv, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG: 'warn', NO_UPDATE_NOTIFIER: '1' }
  const migrate = ['d1', 'migrations', 'apply', 'sallyport', '--local', '--persist-to', home]
  const migrated = spawnSync(wrangler, migrate, { cwd: root, env, encoding: 'utf8' })
  if (migrated.status !== 0) throw new Error(`wrangler ${migrate.join(' ')}\n${migrated.stdout}${migrated.stderr}`)
  const variables = { SALLYPORT_PUBLIC_URL: origin, SALLYPORT_KEY: key }
  const args = [
    'dev',
    '--local',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--inspector-port',
    '0',
    '--persist-to',
    home,
  ]
  for (const [name, value] of Object.entries(variables)) args.push('--var', `${name}:${value}`)
  const child = spawn(wrangler, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  const stop = () => {
    child.kill('SIGTERM')
    return ended
  }
  await answering(`${origin}/readyz`, child, () => stdout() + stderr())
  const init = spawnSync(process.execPath, [join(root, 'dist', 'edge', 'serve.js'), 'init', '--url', origin], {
    encoding: 'utf8',
    env: { ...quietEnv, SALLYPORT_KEY: key },
  })
  const secret = /first administrator: \S+#(\S+)/.exec(init.stdout)?.[1]
  if (secret === undefined) {
    await stop()
    throw new Error(`init answered\n${init.stdout}${init.stderr}${stdout()}${stderr()}`)
  }
  return { origin, secret, home, child, stdout, stderr, stop }
}

async function answering(url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (child.exitCode !== null) break
    const ok = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    )
    if (ok) return
    await new Promise((next) => setTimeout(next, 100))
  }
  child.kill('SIGKILL')
  throw new Error(`${url} did not answer\n${said()}`)
}
