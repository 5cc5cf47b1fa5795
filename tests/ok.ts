/** `npm run ok`: the whole gate, the cheap first. `--static` stops before the tests. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrationsInStep } from './house/migrations.ts'
import { type Quiet, quietNode, root } from './house/quiet.ts'

type Step = { name: string; run: () => Quiet }

const tool = (path: string, ...args: string[]) => quietNode([join('node_modules', path), ...args])
const types = (project: string): Step => ({
  name: `types (${project})`,
  run: () => tool('typescript/bin/tsc', '-p', project),
})

const steps: Step[] = [
  { name: 'format and lint', run: () => tool('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.') },
  types('tsconfig.json'),
  types('tsconfig.node.json'),
  types('web/tsconfig.json'),
  { name: 'migrations', run: () => migrationsInStep(root, (args) => tool('drizzle-kit/bin.cjs', ...args)) },
  { name: 'bundles', run: () => quietNode(['build.ts']) },
  { name: 'deploy, dry', run: dryDeploy },
]

/** Needs no account and no network: the banner is what would ask for a newer version. */
function dryDeploy(): Quiet {
  const out = mkdtempSync(join(tmpdir(), 'sallyport-deploy-'))
  try {
    return quietNode(['node_modules/wrangler/bin/wrangler.js', 'deploy', '--dry-run', `--outdir=${out}`], {
      WRANGLER_HIDE_BANNER: 'true',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_SEND_ERROR_REPORTS: 'false',
      WRANGLER_WRITE_LOGS: 'false',
    })
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

function passes({ name, run }: Step): boolean {
  const start = performance.now()
  const { ok, output } = run()
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(28)} ${seconds.padStart(5)} s`)
  if (!ok) console.error(`${output}\nnpm run ok: stopped at "${name}"`)
  return ok
}

function testsPass(): boolean {
  const { status } = spawnSync(process.execPath, ['tests/run.ts'], { cwd: root, stdio: 'inherit' })
  return status === 0
}

const isStatic = process.argv.includes('--static')
process.exitCode = steps.every(passes) && (isStatic || testsPass()) ? 0 : 1
