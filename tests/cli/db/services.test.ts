/** `db login` and `app login` for what is no Postgres: the command that they print is run as it stands. From `npm start` on all parts are real. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { missing } from '../../proxy/front/front.ts'
import { startMariaDb } from '../../proxy/front/mariadb.ts'
import { atEnd } from '../../proxy/proxy.ts'
import { redisOfTest } from '../../proxy/services/redis.ts'
import { freePort } from '../../runtime/launch.ts'
import { answerIn } from '../tls-edge.ts'
import { atNewEdge } from './at-new-edge.ts'

const lacking = missing('redis-cli', 'redis-check-rdb', 'mariadb', 'mariadbd', 'ncat', 'openssl', 'sh')

const role = `kind: role
version: v7
metadata: { name: all }
spec:
  options: { require_session_mfa: true }
  allow: { db_labels: { env: dev }, db_users: [default, root], db_names: ["0", mysql], app_labels: { env: dev } }
`
const db = (name: string, protocol: string, uri: string) => `kind: db
version: v3
metadata: { name: ${name}, labels: { env: dev } }
spec: { protocol: ${protocol}, uri: "${uri}", tls: { mode: disable } }
`

describe('what clients reach by themselves', () => {
  const at = atNewEdge({ lacking, documents: () => role, roles: 'all' })
  const { cli, environment } = at
  const file = (name: string) => join(cli.folder, 'lea.db', `${name}.pem`)

  async function tapped(...words: string[]) {
    const running = cli.start([...words, '--profile=lea', '--no-browser'], environment())
    await answerIn(running, at.lea)
    const ended = await running.ended
    expect(ended.code, ended.stderr).toBe(0)
    return ended
  }
  const inShell = (command: string, input = '') =>
    spawnSync('sh', ['-c', command], { encoding: 'utf8', env: environment(), input, timeout: 30_000 })
  const untapped = (...words: string[]) => cli.start([...words, '--profile=lea'], environment()).ended

  /** The proxy need not have heard of it: of a name that it does not know it asks. */
  const create = (document: string) => at.people.create(at.ada, 'ada', document)

  test('Redis: what is printed is all that redis-cli needs, so often as the tap says, until db logout', async () => {
    const redis = await redisOfTest()
    await create(db('cache', 'redis', redis.uri))
    const login = ['db', 'login', 'cache', '--db-user=default', '--db-name=0']
    const { stdout, stderr } = await tapped(...login, '--uses=2')
    expect(stderr).toContain('It opens the database 2 times, until')
    expect(inShell(`${stdout.trim()} SET k v`).stdout).toBe('OK\n')
    expect(inShell(`${stdout.trim()} GET k`).stdout).toBe('v\n')
    expect(inShell(`${stdout.trim()} GET k`)).toMatchObject({ status: 1, stdout: '' })
    const said = JSON.parse((await tapped(...login, '--format=json')).stdout)
    expect(said).toMatchObject({
      ...{ name: 'cache', protocol: 'redis', host: 'cache.localhost', port: at.edge.proxyPort, uses: 1 },
      ...{ cert: file('cache'), key: file('cache'), ca: join(cli.folder, 'lea.db', 'ca.crt') },
    })
    expect(said.command).toMatch(/^redis-cli /)
    expect(existsSync(file('cache'))).toBe(true)
    expect(await untapped('db', 'logout', 'cache')).toMatchObject({ stderr: 'cache: the certificate is removed.\n' })
    expect(existsSync(file('cache'))).toBe(false)
  })

  test('MySQL: openssl carries its bytes, and mariadb speaks through a port of this machine', async () => {
    const mariadb = await startMariaDb()
    await create(db('shop', 'mysql', mariadb.uri))
    const { stdout, stderr } = await tapped('db', 'login', 'shop', '--db-user=root', '--db-name=mysql')
    const [listening = '', client = ''] = stderr.split('\n').filter((line) => /^(ncat|mariadb) /.test(line))
    expect(listening).toContain('openssl s_client')
    expect(stdout).toMatch(/^openssl s_client .*-alpn sallyport-mysql/)
    const port = await freePort()
    const toPort = (line: string) => line.replace('13306', String(port)).replace(/ &$/, '')
    const relay = spawn('sh', ['-c', `exec ${toPort(listening)}`], { env: environment(), stdio: 'ignore' })
    atEnd(() => relay.kill('SIGKILL'))
    // A look whether it listens would use the one session up. ERROR 2002: nobody took the connection, be it 111 or 115.
    const once = toPort(client).replace(
      'mariadb ',
      "mariadb --no-defaults --batch --skip-column-names -e 'select 6*7' ",
    )
    let ran = inShell(once)
    for (let i = 0; i < 200 && /^ERROR 2002 /m.test(ran.stderr); i++) {
      await new Promise((next) => setTimeout(next, 50))
      ran = inShell(once)
    }
    expect(ran, ran.stderr).toMatchObject({ status: 0, stdout: '42\n' })
  })

  test('an app: standard input and output are its bytes', async () => {
    const server = createServer((_, response) => response.end('the wiki'))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    atEnd(() => void server.close())
    const { port } = server.address() as { port: number }
    const app = `kind: app\nversion: v3\nmetadata: { name: wiki, labels: { env: dev } }\nspec: { uri: "http://127.0.0.1:${port}" }\n`
    await create(app)
    const { stdout } = await tapped('app', 'login', 'wiki')
    const child = spawn('sh', ['-c', `exec ${stdout.trim()}`], { env: environment(), stdio: 'pipe' })
    atEnd(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (part: Buffer) => {
      said += String(part)
    })
    child.stdin.write('GET / HTTP/1.1\r\nHost: wiki\r\nConnection: close\r\n\r\n')
    await new Promise<void>((done) => child.once('close', () => done()))
    expect(said).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*the wiki$/)
    expect(await untapped('app', 'logout', 'wiki')).toMatchObject({ stderr: 'wiki: the certificate is removed.\n' })
  })

  test('MongoDB: its URL names the files, the host and the database', async () => {
    await create(db('docs', 'mongodb', '127.0.0.1:1'))
    const { stdout } = await tapped('db', 'login', 'docs', '--db-user=root', '--db-name=mysql')
    const [, text = ''] = /^mongosh '(.*)'\n$/.exec(stdout) ?? []
    const url = new URL(text)
    expect([url.host, url.pathname, url.searchParams.get('tlsCertificateKeyFile')]).toEqual([
      `docs.localhost:${at.edge.proxyPort}`,
      '/mysql',
      file('docs'),
    ])
  })

  test('what is for Postgres alone says so', async () => {
    const as = ['--db-user=default', '--db-name=0']
    const bearer = await untapped('db', 'login', 'docs', ...as, '--bearer')
    expect(bearer).toMatchObject({ code: 2, stderr: expect.stringContaining('--bearer is for Postgres') })
  })
})
