/** A real PostgreSQL of the test's own: a fresh cluster in a temporary folder, on loopback. It is ended, and the folder removed, by `stop`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { freePort, newFolder, remove } from './runtime/launch.ts'

export interface Postgres {
  readonly port: number
  /** Where its socket is, on which its administrator needs no password. */
  readonly socketFolder: string
  /** As its administrator, without a password, past every proxy. Answers what psql prints. */
  sql(statement: string, database?: string): string
  stop(): Promise<void>
}

/** The password of the user `reader`, who may connect to the database `app`. */
export const readerPassword = 'correct horse'

/** Debian has the server's programs beside each other by version, and not in PATH. */
function serverPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  return versions.map((one) => join(debian, one, 'bin')).find((folder) => existsSync(join(folder, 'initdb')))
}

/** What this machine lacks to run it; undefined when it runs. */
export function missingPostgres(): string | undefined {
  if (spawnSync('psql', ['--version']).status !== 0) return 'psql is not installed'
  return serverPrograms() === undefined ? 'PostgreSQL is not installed' : undefined
}

/** The server refuses to run as root. */
function whoRunsIt(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
  return { uid: id('-u'), gid: id('-g') }
}

/** Loopback wants a password (SCRAM), the socket in its folder none. `settings`: of postgresql.conf. */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<Postgres> {
  const [programs = '', folder, port, who] = [serverPrograms(), newFolder(), await freePort(), whoRunsIt()]
  if (who) chownSync(folder, who.uid, who.gid)
  const data = join(folder, 'data')
  const options = {
    ...who,
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
  } as const
  const auth = ['--auth-host=scram-sha-256', '--auth-local=trust', '--username=postgres', '--no-sync']
  const made = spawnSync(join(programs, 'initdb'), ['-D', data, ...auth, '-E', 'UTF8'], options)
  if (made.status !== 0) throw new Error(`initdb ended with ${made.status}\n${made.stdout}${made.stderr}`)
  const all = { listen_addresses: '127.0.0.1', fsync: 'off', ...settings }
  const given = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(join(programs, 'postgres'), ['-D', data, '-p', String(port), '-k', folder, ...given], options)
  const sql = (statement: string, database = 'postgres') => {
    const args = ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', folder, '-p', String(port), '-U', 'postgres', '-d', database]
    const { status, stdout, stderr } = spawnSync('psql', [...args, '-c', statement], options)
    if (status !== 0) throw new Error(`psql ended with ${status}\n${stderr}`)
    return stdout.trim()
  }
  await answering(child, sql)
  sql(`create role reader login password '${readerPassword}'`)
  sql('create database app')
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  const stop = async () => {
    // Fast: connections are ended.
    child.kill('SIGINT')
    await ended
    remove(folder)
  }
  return { port, socketFolder: folder, sql, stop }
}

async function answering(child: ChildProcess, sql: (statement: string) => string): Promise<void> {
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    said += part
  })
  for (const deadline = Date.now() + 60_000; Date.now() < deadline && child.exitCode === null; ) {
    try {
      return void sql('select 1')
    } catch {
      await new Promise((next) => setTimeout(next, 100))
    }
  }
  child.kill('SIGKILL')
  throw new Error(`PostgreSQL did not start.\n${said}`)
}
