/** Contenders side by side on one machine, measured in turn: ratios of neighbouring rounds hold where absolute figures do not. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender, Discipline, Running, Unit } from './contender.ts'
import { type Figures, load, named } from './load.ts'
import type { Settings } from './options.ts'
import { freePort, Server } from './servers.ts'

/** `verifiesPerSecond`: what one core could do just before, if a unit were one signature verification. */
export type Round = { verifiesPerSecond: number; figures: ReadonlyMap<string, Figures> }

/** The rounds of one discipline. */
export type Measured = { unit: Unit; rounds: readonly Round[] }

export type Competing = Settings<'concurrency' | 'rounds'>

const artifacts = join(import.meta.dirname, '../.artifacts')

/** One answer a discipline, in their order. */
export async function compete<E>(
  contenders: readonly Contender<E>[],
  disciplines: readonly Discipline<E>[],
  settings: Competing,
): Promise<readonly Measured[]> {
  const folders: string[] = []
  const running: Running<E>[] = []
  try {
    for (const contender of contenders) {
      running.push(await launch(contender, folders, settings))
      for (const discipline of disciplines) await warmUp(discipline, running.at(-1) as Running<E>)
    }
    const measured = disciplines.map(({ unit }) => ({ unit, rounds: [] as Round[] }))
    for (let index = 0; index < settings.rounds; index++) {
      for (const [which, discipline] of disciplines.entries())
        measured[which]?.rounds.push(await round(discipline, running, index))
    }
    return measured
  } finally {
    for (const { server } of running) await server.stop()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
}

async function launch<E>(contender: Contender<E>, folders: string[], settings: Competing): Promise<Running<E>> {
  const { name } = contender
  const fresh = (parent: string) => {
    mkdirSync(parent, { recursive: true })
    const folder = mkdtempSync(join(parent, `${name}-`))
    folders.push(folder)
    return folder
  }
  const port = await freePort()
  const { args, env } = contender.command(fresh(contender.parent ?? artifacts), port)
  const profile = settings.cpuProf ? profiling(join(artifacts, name)) : []
  // Logs lie on the disk, wherever the data does.
  const server = new Server([...profile, ...args], env, join(fresh(artifacts), 'stderr.log'))
  try {
    return { name, server, port, enrolled: await contender.enroll(server, port, settings.concurrency) }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** Node writes a profile at an orderly exit only, which a signal is not. */
export function profiling(folder: string): string[] {
  const orderly = 'process.once("SIGTERM",()=>process.exit())'
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--import=data:text/javascript,${orderly}`]
}

async function warmUp<E>(discipline: Discipline<E>, running: Running<E>): Promise<void> {
  const warm = await load(running, await discipline.warmUp(running))
  say(`${running.name} warm`, discipline.unit, warm)
}

/** Every second round turns the order around: whatever drifts during a round favours nobody. */
async function round<E>(discipline: Discipline<E>, running: readonly Running<E>[], index: number): Promise<Round> {
  const order = index % 2 === 0 ? running : running.toReversed()
  const stretches = await inTurn(order, (one) => discipline.stretch(one))
  const verifies = verifiesPerSecond()
  const figures = await inTurn(order, async (one, at) => {
    const found = await load(one, stretches[at] as (typeof stretches)[number])
    say(`round ${index + 1} ${one.name}`, discipline.unit, found)
    return [one.name, found] as const
  })
  return { verifiesPerSecond: verifies, figures: new Map(figures) }
}

async function inTurn<A, B>(list: readonly A[], work: (one: A, at: number) => Promise<B>): Promise<B[]> {
  const done: B[] = []
  for (const [at, one] of list.entries()) done.push(await work(one, at))
  return done
}

function say(what: string, unit: Unit, figures: Figures): void {
  process.stderr.write(`${what}: ${JSON.stringify(named(unit, figures))}\n`)
}

/** The one P-256 verification that no unit can do without, on one core. The last figure of openssl's table. */
function verifiesPerSecond(): number {
  const output = execFileSync('openssl', ['speed', '-seconds', '1', 'ecdsap256'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const last = /nistp256.*\s([\d.]+)\s*$/m.exec(output.toString())?.[1]
  if (last === undefined) throw new Error('openssl speed said nothing of nistp256')
  return Number(last)
}
