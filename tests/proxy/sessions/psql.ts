/** Real psql through the real local proxy; what the command does between the two, the test does. */
import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'
import { listenForPostgres, type Opened } from '../../../proxy/local.ts'
import type { Person } from '../../people.ts'
import { readerPassword } from '../../postgres.ts'
import { atEnd } from '../proxy.ts'
import { grantFor, Tunnel, type World } from './world.ts'

export interface Psql {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** The exit code. */
  readonly ended: Promise<number | null>
  type(line: string): void
}

async function open(world: World, person: Person): Promise<Opened> {
  const tunnel = await Tunnel.open(world.proxy)
  const { status, json } = await tunnel.connect(await grantFor(world, person), person)
  if (status !== 200) return { kind: 'refused', state: 'connectionFailure', message: String(json['message']) }
  tunnel.socket.allowHalfOpen = true
  return { kind: 'tunnel', stream: tunnel.socket }
}

/** Without a file of its own, without prompts; `name` is what pg_stat_activity calls it. */
export async function startPsql(world: World, person: Person, name: string): Promise<Psql> {
  const local = await listenForPostgres(0, { open: () => open(world, person), tell: () => undefined })
  atEnd(local.close)
  const where = `host=127.0.0.1 port=${local.port} user=reader dbname=orders application_name=${name}`
  const child = spawn('psql', ['-XAtqn', where], {
    env: { PATH: process.env['PATH'] ?? '', PGPASSWORD: readerPassword, PGSSLMODE: 'disable', LC_ALL: 'C' },
    stdio: 'pipe',
  })
  atEnd(() => child.kill('SIGKILL'))
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
  child.stdin.on('error', () => undefined)
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)))
  return { child, stdout, stderr, ended, type: (line) => void child.stdin.write(`${line}\n`) }
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return () => text
}
