/** `sallyport ls` and `sallyport proxy tcp`: what they print, what they refuse, and bytes as they are, against the real edge and a strict proxy. */
import { expect, test } from 'vitest'
import { newSessionProxy, type SessionProxy } from './db/session-proxy.ts'
import { dial, echo, serve } from './db/wire.ts'
import { newCli, type Running } from './run-cli.ts'
import { answerIn, signedIn } from './tls-edge.ts'

async function start(proxy: SessionProxy, ...args: string[]) {
  const cli = await signedIn(proxy.front)
  const running = cli.start(['proxy', 'tcp', '--no-browser', ...args])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
  return { running, port: Number(port) }
}

/** The addresses of the pages that were shown. */
const pages = ({ stderr }: Running) => stderr().match(/^http:\/\/localhost:3080\/approve\S+$/gm) ?? []

/** Approves the newest page. */
const approve = async (running: Running, { front }: SessionProxy, says: 'yes' | 'no' = 'yes') => {
  const seen = async (pattern: RegExp) => pattern.exec(`${pages(running).at(-1) ?? ''}\n`) as RegExpExecArray
  await answerIn({ seen }, front.person, says)
}

test('ls: all kinds, as whom and with what, as a table and as data; what is missing or another is told', async () => {
  const cli = await signedIn((await newSessionProxy({ tap: true })).front)
  const { code, stdout } = await cli.run(['ls'])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `NAME    KIND          AS                          TAP           LABELS   DESCRIPTION
wiki    app                                       each session  env=dev
orders  db            db-user=reader db-name=app  each session  env=dev  What was ordered.
k8s     kube_cluster  kube-group=developers       each session  env=dev
web-1   node          login=ubuntu,deploy         each session  env=dev
`,
  })
  const labels = { env: 'dev' }
  expect(JSON.parse((await cli.run(['ls', '--format=json'])).stdout)).toEqual([
    { kind: 'app', name: 'wiki', labels, allowed: {}, tap: true },
    {
      kind: 'db',
      name: 'orders',
      description: 'What was ordered.',
      labels,
      protocol: 'postgres',
      allowed: { db_users: ['reader'], db_names: ['app'] },
      tap: true,
    },
    {
      kind: 'kube_cluster',
      name: 'k8s',
      labels,
      allowed: { kubernetes_users: [], kubernetes_groups: ['developers'] },
      tap: true,
    },
    { kind: 'node', name: 'web-1', labels, allowed: { logins: ['ubuntu', 'deploy'] }, tap: true },
  ])

  const wrong: [args: string[], code: number, state: string, hint: string][] = [
    [['node/web-1'], 2, '--login is not given', 'your roles allow ubuntu, deploy'],
    [['kube_cluster/k8s'], 2, '--kube-user is not given', 'your roles allow Ada'],
    [['node/web-2', '--login=ubuntu'], 3, 'no role of yours reaches node/web-2', 'did you mean web-1?'],
    [['node/wiki', '--login=ubuntu'], 3, 'wiki is no node', 'did you mean app/wiki?'],
  ]
  for (const [args, exit, state, hint] of wrong) {
    expect(await cli.run(['proxy', 'tcp', ...args])).toEqual({
      code: exit,
      stdout: '',
      stderr: `sallyport: error: Cannot start the local proxy: ${state}\nhint: ${hint}\n`,
    })
  }
}, 60_000)

const kinds = 'write KIND/NAME, where KIND is node, db, kube_cluster, app, windows_desktop, or HOST:PORT'
const usage: [args: string[], state: string, hint: string][] = [
  [['web-1'], 'web-1 does not say which kind it is', kinds],
  [['role/dev'], 'role/dev is no resource', kinds],
  [
    ['web-1:22'],
    'web-1:22 is no host: a host of one label is reached as a resource: write its whole name',
    'write HOST:PORT, such as git.example.com:443',
  ],
  [
    ['git.example.com:0'],
    'git.example.com:0 is no host: expected a port from 1 to 65535 after the host',
    'write HOST:PORT, such as git.example.com:443',
  ],
  [['git.example.com:443', '--login=x'], 'host/git.example.com:443 takes no --login', 'leave it out'],
  [['app/wiki', '--login=x'], 'app/wiki takes no --login', 'leave it out'],
  [['node/web-1', '--kube-user=x'], 'node/web-1 takes no --kube-user', 'it takes --login'],
  [['app/wiki', '--port=0'], '0 is not a port', 'give a number from 1 to 65535'],
  [
    ['db/orders', '--db-user=reader', '--db-name=an app', '--port=1234'],
    'a database has a local proxy of its own',
    "sallyport proxy db orders --port=1234 --db-user=reader '--db-name=an app'",
  ],
]

test.each(usage)('%j: exit 2', async (args, state, hint) => {
  expect(await newCli().run(['proxy', 'tcp', ...args])).toEqual({
    code: 2,
    stdout: '',
    stderr: `sallyport: error: Cannot start the local proxy: ${state}\nhint: ${hint}\n`,
  })
})

test.each([
  [['app', 'wiki'], 'app/wiki'],
  [['kube', 'k8s', '--kube-user=Ada', '--kube-group=developers'], 'kube_cluster/k8s (user Ada, groups developers)'],
])('proxy %j is for its kind', async (args, session) => {
  const proxy = await newSessionProxy({ port: await echo() })
  const cli = await signedIn(proxy.front)
  const running = cli.start(['proxy', ...args, '--no-browser'])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
  const wire = dial(Number(port))
  wire.send('hello\r\n')
  await wire.until(/^hello\r\n$/)
  expect(proxy).toMatchObject({ faults: [], sessions: [session] })
})

test('each connection is a session with a tap of its own, one after the other; who hangs up is not asked for', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await echo() })
  const { running, port } = await start(proxy, 'node/web-1', '--login=ubuntu')
  await running.seen(/^ssh -p \d+ -o HostKeyAlias=web-1 ubuntu@127\.0\.0\.1$/m)
  const hungUp = dial(port)
  hungUp.send('SSH-2.0-one\r\n')
  await running.seen(/^To open web-1 \(login ubuntu\), open this page in a browser on this machine:$/m)
  const wire = dial(port)
  wire.send('SSH-2.0-two\r\n')
  await new Promise((next) => setTimeout(next, 300))
  expect(pages(running)).toHaveLength(1)
  // As ssh that was stopped with Ctrl-C: an end after some words.
  hungUp.socket.end()
  await expect.poll(() => pages(running).length, { timeout: 15_000 }).toBe(2)
  expect(await hungUp.ended).toBe('reset')
  await approve(running, proxy)
  await wire.until(/^SSH-2\.0-two\r\n$/)
  wire.socket.end()
  expect(await wire.ended).toBe('end')
  expect({ faults: proxy.faults, sessions: proxy.sessions }).toEqual({
    faults: [],
    sessions: ['node/web-1 (login ubuntu)*'],
  })
})

test('who says no in the browser gets a reset, and the terminal says why; the next one works; Ctrl-C ends all', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await echo() })
  const { running, port } = await start(proxy, 'app/wiki')
  const refused = dial(port)
  await expect.poll(() => pages(running).length, { timeout: 15_000 }).toBe(1)
  await approve(running, proxy, 'no')
  expect(await refused.ended).toBe('reset')
  await running.seen(/^sallyport: error: Cannot open wiki: it was refused in the browser$/m)
  const wire = dial(port)
  wire.send('GET / HTTP/1.1\r\n')
  await expect.poll(() => pages(running).length, { timeout: 15_000 }).toBe(2)
  await approve(running, proxy)
  await wire.until(/GET/)
  running.child.kill('SIGINT')
  expect((await running.ended).code).toBe(130)
  await wire.ended
  expect({ faults: proxy.faults, sessions: proxy.sessions }).toEqual({ faults: [], sessions: ['app/wiki*'] })
})

test('without a tap who has said all hears the answer; a principal that no role allows is told', async () => {
  const late = await serve((socket) => {
    socket.resume().on('end', () => setTimeout(() => socket.end('the last word'), 100))
  })
  const proxy = await newSessionProxy({ port: late })
  const { running, port } = await start(proxy, 'kube_cluster/k8s', '--kube-user=Ada', '--kube-group=developers')
  await running.seen(new RegExp(`^kubectl --server=https://127\\.0\\.0\\.1:${port}$`, 'm'))
  const wire = dial(port)
  wire.socket.end('all of it')
  expect(await wire.ended).toBe('end')
  expect(wire.said()).toBe('the last word')
  expect(proxy.sessions).toEqual(['kube_cluster/k8s (user Ada, groups developers)'])

  const other = await start(proxy, 'node/web-1', '--login=root')
  expect(await dial(other.port).ended).toBe('reset')
  await other.running.seen(/^hint: No role of yours allows web-1 \(login root\)\. .*--login=ubuntu\|deploy there\./m)
  expect(proxy.faults).toEqual([])
}, 60_000)

test('with the rights of another user: what he reaches, with a tap each time; and nobody whom no role names', async () => {
  const proxy = await newSessionProxy({ port: await echo() })
  const { edge } = proxy.front
  const role = (name: string, allow: object) => ({
    kind: 'role',
    version: 'v7',
    metadata: { name },
    spec: { options: {}, allow, deny: {} },
  })
  const insert = edge.store.raw.prepare(
    "insert into documents (kind, name, document, revision, updated_at, updated_by) select 'role', ?, ?, 'first', 0, id from users",
  )
  for (const one of [
    role('deployer', { node_labels: { env: ['dev'] }, logins: ['root'] }),
    role('operator', { impersonate: { users: ['Bot'], roles: ['deployer'] } }),
  ])
    insert.run(one.metadata.name, JSON.stringify(one))
  edge.store.raw.exec(`insert into user_roles (user_id, role) select id, 'operator' from users;
    insert into users (id, name, name_key, created_at) values ('bot', 'Bot', 'bot', 0);
    insert into user_roles (user_id, role) values ('bot', 'deployer')`)
  const cli = await signedIn(proxy.front)
  expect((await cli.run(['ls', '--impersonate=Bot'])).stdout).toBe(
    'NAME   KIND  AS          TAP           LABELS   DESCRIPTION\nweb-1  node  login=root  each session  env=dev\n',
  )
  const refused = await cli.run(['ls', '--impersonate=Eve'])
  expect(refused).toMatchObject({ code: 3, stdout: '' })
  expect(refused.stderr).toContain('\nhint: No role of yours lets you act as Eve.\n')
  const { running, port } = await start(proxy, 'node/web-1', '--login=root', '--impersonate=Bot')
  const wire = dial(port)
  wire.send('hello')
  await running.seen(/^To open web-1 \(login root\) with the rights of Bot, open this page/m)
  await expect.poll(() => pages(running).length, { timeout: 15_000 }).toBe(1)
  await approve(running, proxy)
  await wire.until(/^hello$/)
  expect([proxy.sessions, proxy.faults]).toEqual([['node/web-1 (login root)*'], []])
  running.child.kill('SIGINT')
  await running.ended
})
