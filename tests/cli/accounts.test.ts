/** Resets, sessions and passkeys from a terminal. */
import { expect, test } from 'vitest'
import { addPasskey, login } from '../client.ts'
import { recordingBrowser } from './run-cli.ts'
import { answerIn, issuer, newFront, signedIn } from './tls-edge.ts'

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
  expect(stdout).toMatch(/^KIND +CLIENT +FROM +SINCE +LAST SEEN +ENDS +ID\n/)
  expect(stdout).toMatch(/^program \(this one\) +\S.* UTC +\S+ \S+ UTC +[\w-]{22}$/m)
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
  expect(stdout).toMatch(/^USER +KIND +CLIENT/)
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

test('mfa ls, add and rm', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const { visitor, passkey } = front.person
  await addPasskey(visitor, passkey, await front.edge.authenticator(), { name: 'Blue key' })
  const { stdout } = await cli.run(['mfa', 'ls'])
  expect(stdout).toMatch(/^NAME +KIND +MAKE +SYNCED +CREATED +LAST USED\n/)
  expect(stdout).toMatch(/^Blue key +passkey +\S.* +(yes|no) +\S+ \S+ UTC +never$/m)
  const browser = recordingBrowser(cli.home)
  Object.assign(cli.env, { BROWSER: browser.program })
  const added = await cli.run(['mfa', 'add'])
  expect([added.code, added.stderr]).toEqual([0, expect.stringContaining(`${issuer}/account#name\n`)])
  await expect.poll(() => browser.calls().trim()).toBe(`${issuer}/account#name`)
  const running = cli.start(['mfa', 'rm', 'Blue key', '--no-browser'])
  await answerIn(running, front.person)
  expect((await running.ended).stderr).toContain('The passkey "Blue key" is removed.\n')
  expect(JSON.parse((await cli.run(['mfa', 'ls', '--format=json'])).stdout)).toMatchObject([{ kind: 'passkey' }])
  const unknown = await cli.run(['mfa', 'rm', 'Blue key'])
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('See which you have: sallyport mfa ls')])
})
