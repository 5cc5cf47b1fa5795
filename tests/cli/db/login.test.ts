/** `db login`: psql reaches the database by itself, with the file that the command wrote. From `npm start` on all parts are real. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readerPassword } from '../../postgres.ts'
import { answerIn } from '../tls-edge.ts'
import { atNewEdgeWithPostgres } from './at-new-edge.ts'

describe('a database that psql reaches by itself', () => {
  const at = atNewEdgeWithPostgres()
  const { cli, environment } = at

  const start = (...args: string[]) => cli.start(args, environment())
  const login = (...args: string[]) =>
    start('db', 'login', 'orders', '--db-user=reader', '--db-name=app', '--no-browser', ...args)
  const file = (name = 'orders') => join(cli.folder, 'lea.db', `${name}.pem`)

  async function tapped(...args: string[]) {
    const running = login(...args)
    await answerIn(running, at.lea)
    return running.ended
  }

  const psql = (where: string, env: Readonly<Record<string, string>> = {}) =>
    spawnSync('psql', ['-XAtw', where, '-c', "select current_user || ' in ' || current_database()"], {
      encoding: 'utf8',
      env: { ...cli.env, LC_ALL: 'C', PGPASSWORD: readerPassword, ...env },
    })

  test('one tap, so many sessions, and no more; what is printed is all that psql needs', async () => {
    const { code, stdout, stderr } = await tapped('--uses=2')
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('It opens the database 2 times, until'),
    })
    for (let i = 0; i < 2; i++) {
      const { status, stdout: rows, stderr: why } = psql(stdout.trim())
      expect(status, why).toBe(0)
      expect(rows).toBe('reader in app\n')
    }
    const { status, stderr: why } = psql(stdout.trim())
    expect(status).toBe(2)
    expect(why).toContain('sallyport db login')
  })

  test('the file is the user’s alone, has a new key each time, and goes with db logout', async () => {
    const first = await tapped('--format=json')
    const said = JSON.parse(first.stdout)
    expect(said).toMatchObject({
      host: 'orders.localhost',
      sslmode: 'verify-full',
      sslcert: file(),
      sslkey: file(),
      uses: 1,
    })
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(statSync(join(cli.folder, 'lea.db')).mode & 0o777).toBe(0o700)
    const before = readFileSync(file(), 'utf8')
    await tapped()
    expect(readFileSync(file(), 'utf8')).not.toBe(before)
    expect(readdirSync(join(cli.folder, 'lea.db')).sort()).toEqual(['ca.crt', 'orders.pem'])
    const removed = await start('db', 'logout', 'orders').ended
    expect(removed).toMatchObject({ code: 0, stderr: 'orders: the certificate is removed.\n' })
    expect(existsSync(file())).toBe(false)
    expect((await start('db', 'logout', 'orders').ended).stderr).toBe('orders: there was none.\n')
  })

  test('who says no gets no file', async () => {
    const running = login()
    await answerIn(running, at.lea, 'no')
    expect((await running.ended).code).toBe(3)
    expect(existsSync(file())).toBe(false)
  })

  test.for([
    [['--uses=17'], '17 is not how often'],
    [['--uses=2', '--bearer'], '--bearer and --uses are given'],
  ] as const)('%s is refused before anybody is asked', async ([args, why]) => {
    const { code, stderr } = await login(...args).ended
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(why) })
  })

  test('a name that is no database’s leads nowhere', async () => {
    const { code, stderr } = await start('db', 'logout', '../lea').ended
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('is no name of a database') })
  })

  test('--bearer without a role that has it: told why', async () => {
    const running = login('--bearer')
    await answerIn(running, at.lea)
    const { code, stderr } = await running.ended
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('bearer_grants') })
  })

  test('logout takes the certificates along', async () => {
    await tapped()
    expect(existsSync(file())).toBe(true)
    expect((await start('logout').ended).code).toBe(0)
    expect(existsSync(join(cli.folder, 'lea.db'))).toBe(false)
  })
})
