/**
 * As an operator sets a proxy up by hand: its key, `sallyport-edge proxies add`, the proxy.yaml that this prints, `check`, `start`. Edge,
 * proxy, command, psql and PostgreSQL are real, each a process of its own.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer, connect as dialTcp, type Server } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localCertificates, openLocalCa } from '../../../proxy/local-ca.ts'
import { documentsFor, type Terminals, terminals } from '../../cli/db/terminals.ts'
import { dial, reader, startup, type Wire } from '../../cli/db/wire.ts'
import { keepCli } from '../../cli/run-cli.ts'
import type { Person } from '../../cli/tls-edge.ts'
import { registerFirst } from '../../client.ts'
import { missingPostgres, type Postgres, readerPassword, startPostgres } from '../../postgres.ts'
import { freePort, launchServe, newFolder, type Running, ready, remove, root } from '../../runtime/launch.ts'
import { start as startEdgeCommand } from '../../worker/start/start.ts'
import { local, needs, until } from '../proxy.ts'
import { start as startProxyCommand } from './start.ts'

const missing = missingPostgres()
/** Servers of the whole file. */
const servers: Server[] = []

async function serverThat(takes: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    takes?.(socket)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  servers.push(server)
  return (server.address() as { port: number }).port
}

interface Row {
  readonly kind: string
  readonly code?: string
  readonly detail?: { readonly session?: string; readonly resource?: string; readonly said?: string }
}

describe('a proxy by hand', () => {
  let postgres: Postgres
  let edge: Running
  let proxy: Running
  let people: Terminals
  let ada: Person
  const folder = newFolder()
  const file = join(folder, 'proxy.yaml')
  const home = join(folder, 'state')
  const cli = keepCli()
  let printed = ''
  let proxyPort = 0

  const proxyCommand = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    startProxyCommand(env, args)
  const psql = (database: string, sql: string) =>
    people.start('lea', ['db', 'connect', database, '--db-user=reader', '--db-name=app', '--', '-XAt', '-c', sql])

  /** A client of the command's local proxy, whose session is open and who says nothing more: the server asks for a password. */
  async function idleSession(database = 'orders'): Promise<Wire> {
    const running = people.start('lea', ['proxy', 'db', database])
    const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
    const wire = dial(Number(port))
    wire.send(startup(reader))
    await wire.until(/SCRAM-SHA-256/)
    return wire
  }

  /** What the proxy told of each session, by the name of its database: the kinds of its rows in order, and why. */
  async function told(): Promise<string[]> {
    const { stdout } = await people.start('ada', ['admin', 'audit', 'ls', '--limit=500', '--format=json']).ended
    const sessions = new Map<unknown, string[]>()
    for (const { kind, code, detail = {} } of (JSON.parse(stdout) as Row[]).reverse()) {
      const [, what] = /^session\.(start|refuse|stop)$/.exec(kind) ?? []
      if (what === undefined) continue
      const { why } = JSON.parse(detail.said ?? '{}') as { readonly why?: string }
      const before = sessions.get(detail.session) ?? [`${detail.resource}:`]
      sessions.set(detail.session, [...before, [what, code ?? why].join(' ').trim()])
    }
    return [...sessions.values()].map(([name, ...rows]) => `${name} ${rows.join(', ')}`).sort()
  }

  async function startProxy(): Promise<void> {
    const child = spawn(process.execPath, [join(root, 'proxy', 'main.ts'), 'start', '--config', file], {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    proxy = await ready(child, home, `localhost:${proxyPort}`, /^proxy ready \S+\n$/)
  }

  beforeAll(async () => {
    if (missing === undefined) postgres = await startPostgres()
    edge = await launchServe('node')
    const { stdout } = await proxyCommand(['identity'], { SALLYPORT_HOME: home })
    const { x } = JSON.parse(stdout) as { x: string }
    const adding = { SALLYPORT_HOME: edge.home, SALLYPORT_EDGE_PORT: new URL(edge.origin).port }
    printed = (await startEdgeCommand(adding, ['proxies', 'add', 'by-hand', `--key=${x}`])).stdout
  })
  afterAll(async () => {
    cli.end()
    proxy?.child.kill('SIGKILL')
    await edge?.stop()
    await postgres?.stop()
    for (const server of servers) server.close()
    remove(folder)
    if (edge) remove(edge.home)
  })

  test('what proxies add prints is a proxy.yaml: check accepts it as it is, and when its names and certificate are set', async () => {
    writeFileSync(file, printed)
    expect(await proxyCommand(['check', '--config', file])).toEqual({
      code: 0,
      stdout: 'proxy.example.com: nothing is wrong with it\n',
      stderr: '',
    })
    proxyPort = await freePort()
    writeFileSync(
      file,
      printed
        .replace('names: [proxy.example.com]', 'names: [localhost]')
        .replace('# cert: cert.pem', 'cert: cert.pem')
        .replace('# key: key.pem', 'key: key.pem')
        .replace('0.0.0.0', '127.0.0.1')
        .replace('port: 3443', `port: ${proxyPort}`)
        .replace('home: .sallyport', 'home: state\ndrain: 4s'),
    )
    const early = await proxyCommand(['check', '--config', file])
    expect(early.code).toBe(1)
    expect(early.stderr).toContain('cert.pem cannot be read')
    const ca = join(folder, 'authority')
    const issued = (await (await localCertificates(needs, ca, local)).first()) as { cert: string; key: string }
    await openLocalCa(needs, ca, local)
    writeFileSync(join(folder, 'cert.pem'), issued.cert)
    writeFileSync(join(folder, 'key.pem'), issued.key, { mode: 0o600 })
    expect((await proxyCommand(['check', '--config', file])).code).toBe(0)
    const { stdout } = await proxyCommand(['identity', '--config', file])
    expect(stdout).toBe((await proxyCommand(['identity'], { SALLYPORT_HOME: home })).stdout)
  })

  test('start: with nothing but this file a session opens', async (context) => {
    if (missing !== undefined) return context.skip(missing)
    await startProxy()
    const env = { PGPASSWORD: readerPassword }
    const trusting = [`--proxy=localhost:${proxyPort}`, `--ca-file=${join(folder, 'authority', 'ca.pem')}`]
    people = terminals({ cli, env, origin: edge.origin, proxy: trusting })
    ada = await people.newPerson()
    await registerFirst(ada.visitor, edge.secret ?? '', ada.passkey)
    await people.logIn(ada, 'ada')
    const slow = await serverThat((socket) => {
      setTimeout(
        () =>
          socket
            .pipe(dialTcp(postgres.port, '127.0.0.1'))
            .on('error', () => undefined)
            .pipe(socket),
        1500,
      )
    })
    const databases = {
      orders: postgres.port,
      slow,
      down: await freePort(),
      resets: await serverThat((socket) => void socket.once('data', () => socket.resetAndDestroy())),
      // Says that it has no TLS, and breaks off where the startup message comes.
      fickle: await serverThat((socket) => {
        socket.once('data', () => socket.write('N', () => socket.once('data', () => socket.resetAndDestroy())))
      }),
      web: await serverThat((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    }
    await people.create(ada, 'ada', documentsFor(databases, { tap: false }))
    await people.logIn(await people.invite(ada, 'ada', 'Lea', 'access,db-reader'), 'lea')
    expect(await psql('orders', 'select current_user').ended).toMatchObject({ code: 0, stdout: 'reader\n' })
  })

  test('what is wrong with a database stands in psql; a slow one is waited for', async (context) => {
    if (missing !== undefined) return context.skip(missing)
    const failures = {
      down: /FATAL: .*\(status 502\)\. The database cannot be reached at 127\.0\.0\.1:\d+: the connection is refused/,
      resets: /FATAL: .*\(status 502\)\. What answers at 127\.0\.0\.1:\d+ ended the connection/,
      web: /FATAL: .*\(status 502\)\. What answers at 127\.0\.0\.1:\d+ (is no Postgres server|speaks before it is asked)/,
      fickle: /server closed the connection unexpectedly|Connection reset by peer/,
    }
    const expectFailure = async (name: keyof typeof failures) => {
      const { code, stdout, stderr } = await psql(name, 'select 1').ended
      expect(stderr, name).toMatch(failures[name])
      expect({ name, code, stdout }).toEqual({ name, code: 2, stdout: '' })
    }
    // Four at once: a person may have so many that wait.
    const slow = psql('slow', 'select 7').ended
    await Promise.all([expectFailure('down'), expectFailure('resets')])
    await Promise.all([expectFailure('web'), expectFailure('fickle')])
    expect(await slow).toMatchObject({ code: 0, stdout: '7\n' })
  })

  test('SIGTERM: what ends in time has its answer, who stays is told, and the exit code is 0', async (context) => {
    if (missing !== undefined) return context.skip(missing)
    const idle = await idleSession()
    const busy = psql('orders', "select pg_sleep(1.5), 'answered'")
    await until(
      () =>
        postgres.sql("select count(*) from pg_stat_activity where query like '%answered%' and usename = 'reader'") ===
        '1',
      20_000,
    )
    const ended = new Promise<number | null>((done) => proxy.child.once('exit', done))
    proxy.child.kill('SIGTERM')
    expect(await busy.ended).toMatchObject({ code: 0, stdout: '|answered\n' })
    expect(idle.said()).not.toContain('57P01')
    expect(await idle.ended).toBe('end')
    expect(idle.said()).toContain('The proxy is being stopped')
    expect(await ended).toBe(0)
    expect(proxy.stderr()).not.toMatch(/"level":"(error|warn)"/)
  })

  test('started again, a lock cuts; the audit log has a row for each beginning, refusal and end, and none twice', async (context) => {
    if (missing !== undefined) return context.skip(missing)
    await startProxy()
    const idle = await idleSession()
    const locking = ['admin', 'locks', 'add', '--user=Lea', '--message=Call the office.']
    expect((await people.approved(ada, 'ada', locking)).code).toBe(0)
    expect(await idle.ended).toBe('end')
    expect(idle.said()).toContain('Call the office.')
    const wanted = [
      'down: refuse upstream_unreachable',
      'fickle: start, stop upstream_reset',
      'orders: start, stop ended',
      'orders: start, stop ended',
      'orders: start, stop proxy_stopping',
      'orders: start, stop session_cut',
      'resets: refuse upstream_no_postgres',
      'slow: start, stop ended',
      'web: refuse upstream_no_postgres',
    ]
    await expect.poll(told, { timeout: 15_000 }).toEqual(wanted)
  })
})
