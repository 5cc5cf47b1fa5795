/** `npm start`: builds, then runs edge and proxy on this machine. Ctrl-C stops both; so does the end of this process, or of one of them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'

const root = import.meta.dirname

const built = spawnSync(process.execPath, [join(root, 'build.ts')], { stdio: ['ignore', 'ignore', 'inherit'] })
if (built.status !== 0) {
  process.stderr.write('sallyport: error: Cannot start: the build failed\nhint: read what it says above\n')
  process.exit(1)
}

const home = process.env['SALLYPORT_HOME'] ?? join(root, '.sallyport')
const edgeUrl = `http://localhost:${process.env['SALLYPORT_EDGE_PORT'] || 3080}`

const run = (script: string, settings: Readonly<Record<string, string>>): ChildProcess =>
  spawn(process.execPath, [join(root, script)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, SALLYPORT_HOME: home, ...settings },
  })

const children: ChildProcess[] = []
let isStopping = false
function stop(signal: NodeJS.Signals): void {
  isStopping = true
  for (const child of children) child.kill(signal)
}

// Ctrl-C reaches them by itself, a signal to this process alone does not; a second one changes nothing. They end first.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal))
// npm passes signals on, but may be killed outright: then nobody else is left to stop them.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) stop('SIGTERM')
}, 500).unref()

/** The public half of the proxy's key, which the edge registers as `local`. The first call makes the key. */
function localProxy(): string {
  const said = spawnSync(process.execPath, [join(root, 'proxy/main.ts'), 'identity'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    env: { ...process.env, SALLYPORT_HOME: home },
  })
  // It has said why.
  if (said.status !== 0) process.exit(1)
  return (JSON.parse(said.stdout) as { x: string }).x
}

const edge = run('dist/edge/serve.js', { SALLYPORT_LOCAL_PROXY: localProxy() })
// Both are this machine's: what could answer in the edge's place could as well read the proxy's key.
const proxy = run('proxy/main.ts', { SALLYPORT_EDGE_URL: edgeUrl, SALLYPORT_PROXY_TRUST: 'first-use' })
children.push(edge, proxy)
// They start side by side; what they print has one order.
edge.stdout?.once('data', () => proxy.stdout?.pipe(process.stdout)).pipe(process.stdout)

let running = children.length
let hasFailed = false
for (const child of children) {
  child.on('exit', (code, signal) => {
    // One that had no time yet to listen to signals is ended by them: as it was told.
    const isInOrder = signal === null ? code === 0 : isStopping && (signal === 'SIGINT' || signal === 'SIGTERM')
    hasFailed ||= !isInOrder
    stop('SIGTERM')
    if (--running === 0) process.exit(hasFailed ? 1 : 0)
  })
}
