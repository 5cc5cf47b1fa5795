/** What the commands print, and what they refuse before anything happens. */
import { expect, test } from 'vitest'
import { freePort } from '../../runtime/launch.ts'
import { newCli } from '../run-cli.ts'
import { newFront, signedIn } from '../tls-edge.ts'
import { newSessionProxy } from './session-proxy.ts'
import { dial, echo, reader, startup } from './wire.ts'

test('db ls: what the roles reach, as a table and as data', async () => {
  const proxy = await newSessionProxy({ tap: true })
  const cli = await signedIn(proxy.front)
  const { code, stdout } = await cli.run(['db', 'ls'])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `NAME    USERS   DATABASES  TAP           LABELS   DESCRIPTION
orders  reader  app        each session  env=dev  What was ordered.
`,
  })
  expect(JSON.parse((await cli.run(['db', 'ls', '--format=json'])).stdout)).toEqual([
    {
      kind: 'db',
      name: 'orders',
      description: 'What was ordered.',
      labels: { env: 'dev' },
      protocol: 'postgres',
      db_users: ['reader'],
      db_names: ['app'],
      tap: true,
    },
  ])
})

test('db ls without any says so on stderr', async () => {
  const cli = await signedIn(await newFront())
  expect(await cli.run(['db', 'ls', '--format=json'])).toEqual({
    code: 0,
    stdout: '[]\n',
    stderr: 'Your roles reach none.\n',
  })
})

const wrong: [args: string[], state: string, hint: string][] = [
  [['db', 'connect', 'orders'], 'connect to the database: --db-user is not given', '"sallyport db ls" shows'],
  [
    ['db', 'connect', 'orders', '--db-user=reader'],
    'connect to the database: --db-name is not given',
    '"sallyport db ls"',
  ],
  [['db', 'connect', 'orders', 'more'], 'connect to the database: too much is given', 'sallyport db connect NAME'],
  [['proxy', 'db'], 'start the local proxy: something is missing', 'sallyport proxy db NAME'],
  [['proxy', 'db', 'orders', '--port=0'], 'start the local proxy: 0 is not a port', 'a number from 1 to 65535'],
  [['proxy', 'db', 'orders', '--port=70000'], 'start the local proxy: 70000 is not a port', 'a number from 1 to 65535'],
]

test.each(wrong)('%j: exit 2', async (args, state, hint) => {
  const { code, stdout, stderr } = await newCli().run(args)
  expect(stderr).toContain(`sallyport: error: Cannot ${state}\nhint: `)
  expect(stderr).toContain(hint)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

test('a database that no role reaches: exit 3, with the name that was probably meant, and nothing listens', async () => {
  const proxy = await newSessionProxy()
  const cli = await signedIn(proxy.front)
  expect(await cli.run(['proxy', 'db', 'ordres'])).toEqual({
    code: 3,
    stdout: '',
    stderr:
      'sallyport: error: Cannot start the local proxy: no role of yours reaches a database ordres\nhint: did you mean orders?\n',
  })
})

test('nobody signed in: exit 4', async () => {
  const { code, stderr } = await newCli().run(['proxy', 'db', 'orders'])
  expect(stderr).toContain('hint: sallyport login')
  expect(code).toBe(4)
})

test('a port that is given stays, and one in use is a problem', async () => {
  const proxy = await newSessionProxy({ port: await echo() })
  const cli = await signedIn(proxy.front)
  const port = await freePort()
  const running = cli.start(['proxy', 'db', 'orders', `--port=${port}`])
  await running.seen(new RegExp(`^listening on 127\\.0\\.0\\.1:${port}$`, 'm'))
  const second = await cli.run(['proxy', 'db', 'orders', `--port=${port}`])
  expect(second.stderr).toContain(
    `sallyport: error: Cannot start the local proxy: port ${port} is in use\nhint: give another`,
  )
  expect(second.code).toBe(1)
})

test('db connect without psql: exit 1, and what to do', async () => {
  const proxy = await newSessionProxy()
  const cli = await signedIn(proxy.front, { PATH: '/nowhere' })
  const { code, stderr } = await cli.run(['db', 'connect', 'orders', '--db-user=reader', '--db-name=app'])
  expect(stderr).toMatch(
    /^sallyport: error: Cannot connect to the database: psql is not installed\nhint: install psql /,
  )
  expect(code).toBe(1)
})

test('a proxy that opens no sessions: the client is told', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  front.interfere = (_, path) =>
    path === '/v1/resources'
      ? {
          json: {
            resources: [{ kind: 'db', name: 'orders', labels: {}, protocol: 'postgres', allowed: {}, tap: false }],
          },
        }
      : undefined
  const running = cli.start(['proxy', 'db', 'orders'])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
  const wire = dial(Number(port))
  wire.send(startup(reader))
  expect(await wire.ended).toBe('end')
  expect(wire.said()).toContain('\0C08006\0Msallyport cannot open orders: what answers there opens no sessions.')
})

test('--debug says what happens, and no secret', async () => {
  const proxy = await newSessionProxy({ port: await echo() })
  const cli = await signedIn(proxy.front)
  const running = cli.start(['proxy', 'db', 'orders', '--debug'])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
  const wire = dial(Number(port))
  wire.send(startup(reader))
  await wire.until(/reader/)
  await running.seen(/^debug: open: orders \(user reader, database app\)$/m)
  expect(running.stderr()).toContain('debug: CONNECT orders:443 over the connection\ndebug: 200\n')
  expect(running.stderr()).not.toMatch(/ey[JA]\w+|DPoP/)
})
