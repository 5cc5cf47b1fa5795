/** A real MariaDB of the test's own on loopback: it speaks first, as MySQL does. */
import { spawnSync } from 'node:child_process'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd } from '../proxy.ts'
import { type Ran, run, serving } from './front.ts'

export interface MariaDb {
  readonly uri: string
  /** Asks it through whatever listens on that port of this machine. */
  sql(port: number, statement: string): Promise<Ran>
}

export async function startMariaDb(): Promise<MariaDb> {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [data, port, user] = [join(folder, 'data'), await freePort(), userInfo().username]
  const making = ['--no-defaults', `--user=${user}`, `--datadir=${data}`, '--auth-root-authentication-method=normal']
  const made = spawnSync('mariadb-install-db', [...making, '--skip-test-db'], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`mariadb-install-db ended with ${made.status}\n${made.stdout}${made.stderr}`)
  const where = [`--datadir=${data}`, `--socket=${join(folder, 's')}`, `--port=${port}`, '--bind-address=127.0.0.1']
  await serving(port, '/usr/sbin/mariadbd', ['--no-defaults', `--user=${user}`, '--skip-name-resolve', ...where])
  const client = ['--no-defaults', '--host=127.0.0.1', '--user=root', '--batch', '--skip-column-names']
  return {
    uri: `127.0.0.1:${port}`,
    sql: (to, statement) => run('mariadb', [...client, `--port=${to}`, '--connect-timeout=30', '-e', statement]),
  }
}
