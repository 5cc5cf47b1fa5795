/**
 * Full passkey logins a second on Node and a SQLite file, Sallyport against better-auth, in interleaved rounds on one
 * machine: ratios of neighbouring rounds hold where absolute figures do not.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { betterAuth } from './better-auth.ts'
import type { Contender, Figures, Round, Running, Settings } from './contender.ts'
import { Connection } from './http.ts'
import { report } from './report.ts'
import { sallyport } from './sallyport.ts'
import { freePort, Server } from './servers.ts'
import { percentile } from './statistics.ts'

type Load = { logins: number; seconds: number; latencies: number[]; serverCpu: number; loadCpu: number }

const artifacts = join(import.meta.dirname, '../.artifacts')
const all: Contender[] = [sallyport, betterAuth]

export async function login(args: readonly string[]): Promise<unknown> {
  const { settings, contenders } = parseSettings(args)
  mkdirSync(artifacts, { recursive: true })
  const folder = mkdtempSync(join(artifacts, 'login-'))
  const servers: Server[] = []
  try {
    const running = new Map<string, Running>()
    for (const contender of contenders) {
      const port = await freePort()
      const server = launch(contender, folder, port, settings)
      servers.push(server)
      running.set(contender.name, await warmUp(contender, server, port, settings))
    }
    const rounds: Round[] = []
    while (rounds.length < settings.rounds) rounds.push(await round(running, rounds.length, settings))
    return report(settings, rounds)
  } finally {
    for (const server of servers) await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function parseSettings(args: readonly string[]): { settings: Settings; contenders: Contender[] } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      concurrency: { type: 'string', default: '32' },
      warm: { type: 'string', default: '5000' },
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '3' },
      only: { type: 'string' },
      'cpu-prof': { type: 'boolean', default: false },
    },
  })
  const settings = {
    concurrency: count(values.concurrency),
    warmLogins: count(values.warm),
    rounds: count(values.rounds),
    seconds: count(values.seconds),
    cpuProf: values['cpu-prof'],
  }
  const contenders = all.filter(({ name }) => values.only === undefined || values.only === name)
  if (contenders.length === 0) throw new Error(`--only: ${all.map(({ name }) => name).join(' or ')}`)
  return { settings, contenders }
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`not a number of at least one: ${text}`)
  return Number(text)
}

function launch(contender: Contender, parent: string, port: number, settings: Settings): Server {
  const folder = join(parent, contender.name)
  mkdirSync(folder)
  const { args, env } = contender.command(folder, port)
  const profile = settings.cpuProf ? profiling(join(artifacts, contender.name)) : []
  return new Server([...profile, ...args], env, join(folder, 'stderr.log'))
}

/** Node writes a profile at an orderly exit only, which a signal is not. */
function profiling(folder: string): string[] {
  const orderly = 'process.once("SIGTERM",()=>process.exit())'
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--import=data:text/javascript,${orderly}`]
}

async function warmUp(contender: Contender, server: Server, port: number, settings: Settings): Promise<Running> {
  const running = { server, port, clients: await contender.enroll(server, port, settings.concurrency) }
  const warm = await load(running, (logins) => logins >= settings.warmLogins)
  process.stderr.write(`${contender.name} warm: ${JSON.stringify(figuresOf(warm))}\n`)
  return running
}

/** Every second round turns the order around: whatever drifts during a round favours neither. */
async function round(running: Map<string, Running>, index: number, settings: Settings): Promise<Round> {
  const verifies = verifiesPerSecond()
  const order = index % 2 === 0 ? [...running] : [...running].reverse()
  const figures = new Map<string, Figures>()
  for (const [name, contender] of order) {
    const end = performance.now() + settings.seconds * 1000
    figures.set(name, figuresOf(await load(contender, () => performance.now() >= end)))
    process.stderr.write(`round ${index + 1} ${name}: ${JSON.stringify(figures.get(name))}\n`)
  }
  return { verifies_per_second: verifies, figures }
}

/** Each client logs in again as soon as it is in, until there is enough; the last logins are let finish and count. */
async function load({ server, port, clients }: Running, enough: (logins: number) => boolean): Promise<Load> {
  // Anew each time: a server closes connections that were idle while another was measured.
  const connections = await Promise.all(clients.map(() => Connection.open(port)))
  const latencies: number[] = []
  const [serverCpu, loadCpu, start] = [server.cpu(), process.cpuUsage(), performance.now()]
  await Promise.all(
    clients.map(async (client, index) => {
      const connection = connections[index]
      while (connection && !enough(latencies.length)) {
        const began = performance.now()
        await client(connection)
        latencies.push(performance.now() - began)
      }
    }),
  )
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(loadCpu)
  for (const connection of connections) connection.close()
  const logins = latencies.length
  return { logins, seconds, latencies, serverCpu: server.cpu() - serverCpu, loadCpu: (user + system) / 1000 }
}

function figuresOf({ logins, seconds, latencies, serverCpu, loadCpu }: Load): Figures {
  const sorted = latencies.toSorted((a, b) => a - b)
  const rounded = (value: number) => Number(value.toPrecision(4))
  return {
    logins_per_second: rounded(logins / seconds),
    p50_ms: rounded(percentile(sorted, 0.5)),
    p99_ms: rounded(percentile(sorted, 0.99)),
    server_cpu_ms_per_login: rounded(serverCpu / logins),
    load_cpu_ms_per_login: rounded(loadCpu / logins),
  }
}

/** The one P-256 verification that no passkey login can do without, on one core. The last figure of openssl's table. */
function verifiesPerSecond(): number {
  const output = execFileSync('openssl', ['speed', '-seconds', '1', 'ecdsap256'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const last = /nistp256.*\s([\d.]+)\s*$/m.exec(output.toString())?.[1]
  if (last === undefined) throw new Error('openssl speed said nothing of nistp256')
  return Number(last)
}
