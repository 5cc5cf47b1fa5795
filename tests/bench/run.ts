/** npm run bench -- <name> [options]: prints JSON on stdout, its progress on stderr. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname

const benchmarks: Record<string, (args: readonly string[]) => Promise<unknown>> = {
  decide: async () => (await import('./decide.ts')).decisions(),
  hello: async (args) => (await import('./hello.ts')).hello(args),
  login: async (args) => (await import('./login.ts')).login(args),
  route: async () => (await import('./route.ts')).routes(),
  splice: async (args) => (await import('./splice.ts')).splice(args),
  token: async (args) => (await import('./token.ts')).token(args),
  tunnel: async (args) => (await import('./tunnel.ts')).tunnel(args),
}

const [name = '', ...args] = process.argv.slice(2)
const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined
/** Those whose peers are packages of npm. */
const amongPackages = ['login', 'token']
if (benchmark) {
  if (amongPackages.includes(name)) installPeers()
  process.stdout.write(`${JSON.stringify(await benchmark(args), null, 2)}\n`)
} else {
  process.stderr.write(`Benchmarks: ${Object.keys(benchmarks).join(', ')}\n`)
  process.exitCode = 2
}

/** The peers are pinned here and installed only for this: the product's own lockfile never sees them. */
function installPeers(): void {
  const { dependencies = {} } = manifest(here)
  const missing = Object.entries(dependencies).filter(
    ([peer, version]) => manifest(join(here, 'node_modules', peer)).version !== version,
  )
  if (missing.length === 0) return
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: here, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('npm ci did not install what Sallyport is compared with')
}

function manifest(folder: string): { version?: string; dependencies?: Record<string, string> } {
  const file = join(folder, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}
