/** Real mariadb and redis-cli through the local proxy: `db connect` starts them, `proxy db` listens for them. From `npm start` on all parts are real. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { missing, run } from '../../proxy/front/front.ts'
import { startMariaDb } from '../../proxy/front/mariadb.ts'
import { redisOfTest } from '../../proxy/services/redis.ts'
import { answerIn } from '../tls-edge.ts'
import { atNewEdge } from './at-new-edge.ts'
import { withOptions } from './terminals.ts'

const lacking = missing('redis-cli', 'redis-check-rdb', 'mariadb', 'mariadbd')

const role = `kind: role
version: v7
metadata: { name: all }
spec:
  options: { require_session_mfa: true }
  allow: { db_labels: { env: dev }, db_users: [default, root], db_names: ["0", "3", mysql] }
`
const db = (name: string, protocol: string, uri: string) => `kind: db
version: v3
metadata: { name: ${name}, labels: { env: dev } }
spec: { protocol: ${protocol}, uri: "${uri}", tls: { mode: disable } }
`
const select = ['--no-defaults', '--batch', '--skip-column-names', '-e']
const ofRedis = ['--db-user=default', '--db-name=3']
const ofMySql = ['--db-user=root', '--db-name=mysql']

describe('clients of databases that are no Postgres', () => {
  const at = atNewEdge({ lacking, documents: () => role, roles: 'all' })
  const { cli, environment } = at

  const start = (words: readonly string[], more?: Readonly<Record<string, string>>) =>
    cli.start(withOptions(words, '--profile=lea', '--no-browser'), environment(more))
  async function tapped(words: readonly string[], more?: Readonly<Record<string, string>>) {
    const running = start(words, more)
    await answerIn(running, at.lea)
    return running.ended
  }
  /** Programs of that machine alone, under these names. */
  function onlyPrograms(programs: Readonly<Record<string, string>>): { readonly PATH: string } {
    const folder = join(cli.folder, `bin-${Object.keys(programs).join('-')}`)
    mkdirSync(folder)
    for (const [name, target] of Object.entries(programs)) symlinkSync(target, join(folder, name))
    return { PATH: folder }
  }
  const whichIs = (name: string) => spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim()

  test('redis-cli: its words are passed on, in the database of that number, and its exit code comes back', async () => {
    const redis = await redisOfTest()
    await at.people.create(at.ada, 'ada', db('cache', 'redis', redis.uri))
    const connect = ['db', 'connect', 'cache', ...ofRedis, '--']
    expect(await tapped([...connect, 'SET', 'greeting', 'hello'])).toMatchObject({ code: 0, stdout: 'OK\n' })
    expect(await tapped([...connect, '-e', 'NO-SUCH-COMMAND'])).toMatchObject({ code: 1 })
    const [host = '', port = ''] = redis.uri.split(':')
    const there = spawnSync('redis-cli', ['-h', host, '-p', port, '-n', '3', 'GET', 'greeting'], { encoding: 'utf8' })
    expect(there.stdout).toBe('hello\n')
  })

  test('mariadb, and where only mysql is installed that one', async () => {
    const mariadb = await startMariaDb()
    await at.people.create(at.ada, 'ada', db('shop', 'mysql', mariadb.uri))
    const connect = ['db', 'connect', 'shop', ...ofMySql, '--', ...select]
    const asked = "select concat(current_user(), ' in ', database())"
    const first = await tapped([...connect, asked])
    expect(first, first.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/^root@.* in mysql\n$/) })
    const second = await tapped([...connect, asked], onlyPrograms({ mysql: whichIs('mariadb') }))
    expect(second, second.stderr).toMatchObject({ code: 0, stdout: first.stdout })
    const wrong = await tapped([...connect, 'select nothing'])
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("Unknown column 'nothing'") })
  })

  test('who says no gets the reason here, since the client has none', async () => {
    const running = start(['db', 'connect', 'cache', ...ofRedis, '--', 'PING'])
    await answerIn(running, at.lea, 'no')
    const { code, stdout, stderr } = await running.ended
    expect({ code: code === 0, stdout }).toEqual({ code: false, stdout: '' })
    expect(stderr).toContain('Cannot open cache: ')
    // redis-cli connects once more by itself, which must ask nobody again.
    expect(stderr.match(/open this page/g)).toHaveLength(1)
  })

  test('a client that is not installed is named, with the way to get it, before anybody taps', async () => {
    await at.people.create(at.ada, 'ada', db('docs', 'mongodb', '127.0.0.1:1'))
    const nothing = onlyPrograms({})
    const named = [
      [
        'shop',
        ofMySql,
        'mariadb and mysql are not installed\nhint: install mariadb (Debian: apt install mariadb-client)',
      ],
      ['cache', ofRedis, 'redis-cli is not installed\nhint: install redis-cli (Debian: apt install redis-tools)'],
      ['docs', ofMySql, 'mongosh is not installed\nhint: install mongosh (https://www.mongodb.com/'],
    ] as const
    for (const [name, as, told] of named) {
      const ended = await start(['db', 'connect', name, ...as], nothing).ended
      expect(ended).toMatchObject({ code: 1, stdout: '' })
      expect(ended.stderr).toContain(`Cannot connect to the database: ${told}`)
      expect(ended.stderr).toContain('or use another program with "sallyport proxy db"')
      expect(ended.stderr).not.toContain('open this page')
    }
  })

  test('mongosh is given the local proxy, the database, and nobody else of a replica set', async () => {
    const folder = join(cli.folder, 'bin-shell')
    mkdirSync(folder)
    // It stands in for a program that Debian does not have: what it was started with is all that it says.
    writeFileSync(join(folder, 'mongosh'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 })
    const ended = await start(['db', 'connect', 'docs', ...ofMySql, '--', '--username=root'], { PATH: folder }).ended
    expect(ended.stdout).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\/mysql\?directConnection=true\n--username=root\n$/)
  })

  test('proxy db: several by one tap, of two kinds, each with the line to type', async () => {
    const [redis, mariadb] = [await redisOfTest(), await startMariaDb()]
    await at.people.create(
      at.ada,
      'ada',
      `${db('cache-2', 'redis', redis.uri)}---\n${db('shop-2', 'mysql', mariadb.uri)}`,
    )
    const running = start(['proxy', 'db', 'cache-2', 'shop-2', ...ofMySql, '--count=2'])
    const [ofShop] = await running.seen(/^mariadb .*$/m)
    const [ofCache] = await running.seen(/^redis-cli .*$/m)
    expect(ofCache).toMatch(/^redis-cli -h 127\.0\.0\.1 -p \d+ --user root$/)
    expect(ofShop).toMatch(/^mariadb --host=127\.0\.0\.1 --port=\d+ --user=root --database=mysql$/)
    const typed = ofShop.replace('mariadb ', "mariadb --no-defaults --batch --skip-column-names -e 'select 6*7' ")
    const client = run('sh', ['-c', typed])
    await answerIn(running, at.lea)
    expect(await client).toMatchObject({ stdout: '42\n' })
    expect(await run('sh', ['-c', `${ofCache} PING`])).toMatchObject({ stdout: 'PONG\n' })
    running.child.kill('SIGINT')
    await running.ended
  })

  test('without user and database nothing listens: their roles are named', async () => {
    const { code, stdout, stderr } = await start(['proxy', 'db', 'cache']).ended
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('--db-user is not given\nhint: your roles allow default, root')
  })
})
