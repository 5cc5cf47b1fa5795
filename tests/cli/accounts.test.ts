/** Resets and sessions from a terminal. */
import { expect, test } from 'vitest'
import { login } from '../client.ts'
import { answerIn, newFront, signedIn } from './tls-edge.ts'

test('admin users reset: a tap approves it, the link alone stands on stdout, and the list tells until when', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const adding = cli.start(['admin', 'users', 'add', 'Grace', '--roles=access'])
  await answerIn(adding, front.person)
  expect((await adding.ended).code).toBe(0)
  const running = cli.start(['admin', 'users', 'reset', 'Grace', '--ttl=2h'])
  await answerIn(running, front.person)
  const { code, stdout, stderr } = await running.ended
  expect(stdout).toMatch(/^http:\/\/localhost:3080\/invite#[\w-]{43}\.[\w-]{43}\n$/)
  expect(stderr).toContain('To approve the reset of Grace, open this page')
  expect(stderr).toMatch(
    /All passkeys, passwords, codes and sessions of Grace are removed\. The link for a new passkey works once,\nuntil \S+ \S+ UTC\. /,
  )
  expect(code).toBe(0)
  const listed = await cli.run(['admin', 'users', 'ls'])
  expect(listed.stdout).toMatch(
    /^NAME +ROLES +STATE +PASSKEYS +LINK UNTIL +CREATED\nAda .* active +1 +- .*\nGrace +access +reset +0 +\d{4}-\S+ \S+ UTC .*\n$/,
  )
  const [, grace] = JSON.parse((await cli.run(['admin', 'users', 'ls', '--format=json'])).stdout)
  expect(grace).toMatchObject({ state: 'reset', link: { kind: 'reset', expires_at: expect.stringMatching(/Z$/) } })
})

test('what could never succeed is refused before the browser is asked', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const adding = cli.start(['admin', 'users', 'add', 'Grace', '--roles=access'])
  await answerIn(adding, front.person)
  await adding.ended
  for (const [args, says] of [
    [['users', 'add', 'Bob', '--roles=nowhere'], 'There is no role "nowhere".'],
    [['users', 'add', 'Bob', '--roles=access', '--ttl=49h'], 'An invite lives from one minute to 48 hours.'],
    [['users', 'add', 'Grace', '--roles=access'], 'For a new link: sallyport admin users reset NAME'],
    [['users', 'reset', 'Grace', '--ttl=25h'], 'The link of a reset lives from one minute to 24 hours.'],
    [['users', 'reset', 'Nobody'], 'See who is there: sallyport admin users ls'],
    [['users', 'reset', 'ada'], 'Another administrator can do this for you.'],
  ] as const) {
    const { code, stdout, stderr } = await cli.run(['admin', ...args])
    expect(stderr).toContain(says)
    expect(stderr).not.toContain('open this page')
    expect([code, stdout]).toEqual([1, ''])
  }
})

test('sessions ls and rm: browsers and programs of one’s own; this one is marked', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  await login(front.edge.visitor(), front.person.passkey)
  const { stdout } = await cli.run(['sessions', 'ls'])
  expect(stdout).toMatch(/^KIND +VIA +CLIENT +FROM +SINCE +LAST SEEN +ENDS +ID\n/)
  expect(stdout).toMatch(/^program \(this one\) +browser +\S.* UTC +\S+ \S+ UTC +[\w-]{22}$/m)
  const browsers = () =>
    cli
      .run(['sessions', 'ls', '--format=json'])
      .then(({ stdout: json }) =>
        (JSON.parse(json) as { id: string; kind: string }[]).filter(({ kind }) => kind === 'browser'),
      )
  const before = await browsers()
  const { stderr, code } = await cli.run(['sessions', 'rm', '--', before[0]?.id ?? ''])
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^The session of .+ is ended\.\n$/)])
  expect(await browsers()).toHaveLength(before.length - 1)
  const again = await cli.run(['sessions', 'rm', '--', before[0]?.id ?? ''])
  expect(again.stderr).toMatch(/^sallyport: error: Cannot end the session: .*\nhint: It has ended, or never was/)
})

test('admin sessions ls and rm: of everybody, or of one', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const { stdout } = await cli.run(['admin', 'sessions', 'ls', '--user=ada'])
  expect(stdout).toMatch(/^USER +KIND +VIA +CLIENT/)
  expect((await cli.run(['admin', 'sessions', 'ls', '--user=nobody', '--format=json'])).stdout).toBe('[]\n')
  const all = JSON.parse((await cli.run(['admin', 'sessions', 'ls', '--format=json'])).stdout) as {
    id: string
    kind: string
  }[]
  const browser = all.find(({ kind }) => kind === 'browser')
  const { stderr, code } = await cli.run(['admin', 'sessions', 'rm', '--', browser?.id ?? ''])
  expect([code, stderr]).toEqual([0, expect.stringMatching(/\nThe session of Ada \(.+\) is ended\.\n$/)])
  expect((await front.person.visitor.get('/account')).status).toBe(302)
})

test('sessions on resources stand below the logins, and end by the same command', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const { raw } = front.edge.store
  raw.exec("insert into proxies (id, x, name, registered_at) values ('p', 'x', 'here', 0)")
  const insert = raw.prepare(`insert into open_sessions
    (id, user_id, proxy_id, boot, kind, resource, principal, impersonated, address, opened_at)
    select ?, id, 'p', 'b', 'db', 'orders', 'user reader, database app', ?, '192.0.2.7', ? from users`)
  for (const [id, whose] of [
    ['first.orders.1', null],
    ['second', 'jenkins'],
  ] as const)
    insert.run(id, whose, front.edge.ports.now())
  const as = 'user reader, database app'
  const { stdout } = await cli.run(['sessions', 'ls'])
  expect(stdout).toMatch(/^SESSION ON +AS +THROUGH +FROM +SINCE +ID$/m)
  expect(stdout).toMatch(
    new RegExp(`^db/orders +${as} +here +192\\.0\\.2\\.7 +\\S+ \\S+ UTC +first\\.orders\\.1$`, 'm'),
  )
  expect(stdout).toMatch(new RegExp(`^db/orders +${as} \\(rights of jenkins\\) +here`, 'm'))
  const open = async (...words: string[]) =>
    (JSON.parse((await cli.run([...words, '--format=json'])).stdout) as { id: string; kind: string }[])
      .filter(({ kind }) => kind === 'session')
      .map(({ id }) => id)
  const ended = await cli.run(['sessions', 'rm', 'first.orders.1'])
  expect([ended.code, ended.stderr]).toEqual([0, 'The session on orders ends.\n'])
  expect(await open('sessions', 'ls')).toEqual(['second'])
  expect(await open('admin', 'sessions', 'ls', '--user=ada')).toEqual(['second'])
  const { code, stderr } = await cli.run(['admin', 'sessions', 'rm', 'second'])
  expect([code, stderr]).toEqual([0, expect.stringMatching(/The session of Ada on orders ends\.\n$/)])
  expect(await open('admin', 'sessions', 'ls')).toEqual([])
})
