/** Planes side by side: each measure is taken of one contender after the other, so that ratios of neighbours hold where absolute figures do not. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '../options.ts'
import { profiling } from '../rounds.ts'
import { Child } from './child.ts'
import type { Certificate, Contender, Load, Started } from './contender.ts'
import type { Asked, Done } from './load-process.ts'
import type { Course, Figures, Measure } from './measures.ts'

/** Figures by contender. */
export type Round = ReadonlyMap<string, Figures>
/** Rounds by measure. */
export type Measured = ReadonlyMap<string, readonly Round[]>

/** `seconds`: of load on each contender in a round, which its measures share. `concurrency`: of openings. */
export type Competing = Settings<'rounds' | 'seconds' | 'concurrency'>

const artifacts = join(import.meta.dirname, '../../.artifacts')
/** Of a stretch: what Node compiles while the first half gigabyte passes costs as much as passing it. */
const warmUpShare = 0.5

/** Once, of processes that have done nothing yet; and in each round. */
export interface Measures {
  readonly fresh: Measure
  readonly each: readonly Measure[]
}

interface Running {
  readonly name: string
  readonly started: Started
}

interface Field {
  readonly load: Load
  readonly backend: Child<never, number>
  readonly folder: string
}

export async function compete(
  contenders: readonly Contender[],
  measures: Measures,
  settings: Competing,
): Promise<Measured> {
  mkdirSync(artifacts, { recursive: true })
  const field: Field = {
    load: new Child<Asked, Done>('load-process'),
    backend: new Child<never, number>('backend'),
    folder: mkdtempSync(join(artifacts, 'plane-')),
  }
  const running: Running[] = []
  try {
    await startAll(contenders, field, settings, running)
    return await roundsOf(running, measures, field, settings)
  } finally {
    for (const { started } of running) await started.stop()
    await Promise.all([field.load.stop(), field.backend.stop()])
    rmSync(field.folder, { recursive: true, force: true })
  }
}

async function startAll(
  contenders: readonly Contender[],
  { load, backend, folder }: Field,
  { cpuProf }: Competing,
  running: Running[],
): Promise<void> {
  const port = await backend.next()
  const certificate = makeCertificate(folder)
  for (const { name, start } of contenders) {
    const own = join(folder, name)
    mkdirSync(own)
    const nodeArgs = cpuProf ? profiling(join(artifacts, name)) : []
    running.push({ name, started: await start({ folder: own, backend: port, certificate, load, nodeArgs }) })
  }
}

async function roundsOf(
  running: readonly Running[],
  { fresh, each }: Measures,
  { load, backend }: Field,
  { rounds, seconds, concurrency }: Competing,
): Promise<Measured> {
  const ms = (seconds * 1000) / each.length
  const courseOf = ({ started }: Running, share = 1): Course => {
    return { started, load, backend: backend.pid, ms: ms * share, concurrency }
  }
  const take = async ({ name, run }: Measure, order: readonly Running[]): Promise<Round> => {
    const figures = new Map<string, Figures>()
    for (const one of order) figures.set(one.name, await run(courseOf(one)))
    say(name, figures)
    return figures
  }
  const measured = new Map<string, Round[]>([[fresh.name, [await take(fresh, running)]]])
  for (const { name } of each) measured.set(name, [])
  for (const one of running) for (const measure of each) await measure.run(courseOf(one, warmUpShare))
  for (let index = 0; index < rounds; index++) {
    // Every second round turns the order around: whatever drifts during a round favours nobody.
    const order = index % 2 === 0 ? running : running.toReversed()
    for (const measure of each) measured.get(measure.name)?.push(await take(measure, order))
  }
  return measured
}

function say(what: string, round: Round): void {
  const each = [...round].map(([name, figures]) => `${name} ${Object.values(figures)[0]?.toPrecision(4) ?? '-'}`)
  process.stderr.write(`${what}: ${each.join(', ')}\n`)
}

/** P-256, as our own authority makes them. */
export function makeCertificate(folder: string): Certificate {
  const [cert, key, both] = ['cert.pem', 'key.pem', 'both.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert]
  const said = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync('openssl', ['req', '-x509', ...made, ...said], { stdio: 'ignore' })
  const pem = readFileSync(cert, 'utf8')
  writeFileSync(both, pem + readFileSync(key, 'utf8'), { mode: 0o600 })
  return { cert, key, both, pem }
}
