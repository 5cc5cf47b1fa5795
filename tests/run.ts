/**
 * `npm test`: packages, bundles, vitest, and a last line that counts. Arguments are vitest's filters.
 * With CI set, a test that skips must stand in tests/known-skips.json with its reason.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installDebianPackages } from './house/debian.ts'
import { fetchNewerDebian } from './house/newer-debian.ts'
import { quietNode, root } from './house/quiet.ts'
import {
  type Ending,
  failedRun,
  isCi,
  judge,
  lastLine,
  type Outcome,
  parseReport,
  type Report,
  type Skip,
  skipsByReason,
} from './house/report.ts'

const vitest = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config=vitest.config.ts',
  '--reporter=default',
  '--reporter=./tests/house/counting-reporter.ts',
]

const longestRunMs = 60 * 60_000

async function main(): Promise<Outcome> {
  installDebianPackages()
  fetchNewerDebian()
  const build = quietNode(['build.ts'])
  if (!build.ok) return failedRun(`node build.ts failed\n${build.output}`)
  const { report, ending } = await runVitest(process.argv.slice(2))
  for (const line of skipsByReason(report?.skipped ?? [])) console.log(line)
  return judge(report, ending, isCi(process.env['CI']) ? knownSkips() : undefined)
}

async function runVitest(filters: string[]): Promise<{ report: Report | undefined; ending: Ending }> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tests-'))
  const path = join(folder, 'report.json')
  try {
    const ending = await spawnVitest(filters, path)
    return { report: parseReport(existsSync(path) ? readFileSync(path, 'utf8') : undefined), ending }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function spawnVitest(filters: string[], reportPath: string): Promise<Ending> {
  const child = spawn(process.execPath, [...vitest, ...filters], {
    cwd: root,
    env: { ...process.env, SALLYPORT_TEST_REPORT: reportPath },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  // A test that never ends must fail the run, not hold it.
  const limit = setTimeout(() => child.kill('SIGKILL'), longestRunMs)
  return new Promise<Ending>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve({ code, signal }))
  }).finally(() => clearTimeout(limit))
}

function knownSkips(): Skip[] {
  return JSON.parse(readFileSync(join(root, 'tests/known-skips.json'), 'utf8')) as Skip[]
}

const outcome = await main().catch((error: unknown) => failedRun(String(error)))
for (const problem of outcome.problems) console.log(problem)
process.exitCode = outcome.ok ? 0 : 1
console.log(lastLine(outcome))
