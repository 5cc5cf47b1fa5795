import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recordingBrowser } from './run-cli.ts'
import { answerIn, cliFor, issuer, newFront, signedIn } from './tls-edge.ts'

const fileOf = (folder: string) => join(folder, readdirSync(folder).find((name) => name.endsWith('.json')) ?? '')
const profileIn = (folder: string) => JSON.parse(readFileSync(fileOf(folder), 'utf8'))

test('login: the browser gets the URL as its one argument; then who, where and until when', async () => {
  const front = await newFront()
  const cli = cliFor(front)
  const browser = recordingBrowser(cli.home)
  Object.assign(cli.env, { BROWSER: browser.program })
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem'])
  await answerIn(running, front.person)
  const { code, stdout, stderr } = await running.ended
  expect(stdout).toMatch(
    new RegExp(
      `^Profile: +localhost_${front.port}\nProxy: +localhost:${front.port}\nUser: +Ada\nCluster: +test\nRoles: +access, auditor, editor\nSigned in: +\\S+ \\S+ UTC\nValid until: +\\S+ \\S+ UTC \\(in \\d+ h \\d+ min\\)\n$`,
    ),
  )
  expect(code).toBe(0)
  expect(browser.calls().trim()).toBe(/^http:\/\/\S+$/m.exec(stderr)?.[0])
  expect([statSync(cli.folder).mode & 0o777, statSync(fileOf(cli.folder)).mode & 0o777]).toEqual([0o700, 0o600])
  expect(readdirSync(cli.folder).sort()).toEqual(['current', `localhost_${front.port}.json`])
})

test('status, and a token that has ended: refreshed once, kept, and the same user', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const before = profileIn(cli.folder)
  writeFileSync(fileOf(cli.folder), JSON.stringify({ ...before, tokens: { ...before.tokens, access_expires_at: 0 } }))
  const { code, stdout } = await cli.run(['status', '--format=json'])
  expect(JSON.parse(stdout)).toMatchObject({
    user: 'Ada',
    cluster: 'test',
    issuer,
    roles: expect.arrayContaining(['editor']),
  })
  expect(code).toBe(0)
  expect(profileIn(cli.folder).tokens.refresh).not.toBe(before.tokens.refresh)
  expect((await cli.run(['status', '--format=yaml'])).stdout).toMatch(/^profile: localhost_\d+\nproxy: localhost:\d+\n/)
})

test('two processes that refresh at once both work, and so does the next', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const before = profileIn(cli.folder)
  writeFileSync(fileOf(cli.folder), JSON.stringify({ ...before, tokens: { ...before.tokens, access_expires_at: 0 } }))
  const ended = await Promise.all([cli.run(['status']), cli.run(['status'])])
  expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ''],
    [0, ''],
  ])
  expect((await cli.run(['status'])).code).toBe(0)
})

test('login that is refused in the browser: exit 3, nothing kept', async () => {
  const front = await newFront()
  const cli = cliFor(front)
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem'])
  await answerIn(running, front.person, 'no')
  const { code, stderr } = await running.ended
  expect(stderr).toContain(
    'sallyport: error: Cannot sign in: it was refused in the browser\nhint: try again to approve it\n',
  )
  expect(code).toBe(3)
  expect(existsSync(cli.folder)).toBe(false)
})

test('Ctrl-C while the browser is waited for: at once, exit 130, nothing changed, nobody listens any more', async () => {
  const front = await newFront()
  const cli = cliFor(front)
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--no-browser'])
  const [url = ''] = await running.seen(/^http:\/\/\S+$/m)
  const redirect = new URL(url).searchParams.get('redirect_uri') ?? ''
  running.child.kill('SIGINT')
  const since = Date.now()
  const { code, stderr } = await running.ended
  expect(Date.now() - since).toBeLessThan(1000)
  expect(stderr).toMatch(/\nsallyport: stopped, nothing was changed\n$/)
  expect(code).toBe(130)
  expect(existsSync(cli.folder)).toBe(false)
  await expect(fetch(redirect)).rejects.toThrow()
})

test('login again ends the login before, at the edge too', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const before = readFileSync(fileOf(cli.folder), 'utf8')
  const running = cli.start(['login'])
  await answerIn(running, front.person)
  expect((await running.ended).code).toBe(0)
  expect((await cli.run(['status'])).code).toBe(0)
  writeFileSync(fileOf(cli.folder), before)
  const { code, stderr } = await cli.run(['status'])
  expect(stderr).toMatch(/^sallyport: error: Cannot show the status: .+\nhint: .*sallyport login\n$/)
  expect(code).toBe(4)
})

test('logout: the tokens end at the edge, and the profile is gone', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const [file, kept] = [fileOf(cli.folder), readFileSync(fileOf(cli.folder), 'utf8')]
  expect(await cli.run(['logout'])).toMatchObject({ code: 0, stdout: '' })
  expect(readdirSync(cli.folder)).toEqual([])
  writeFileSync(file, kept, { mode: 0o600 })
  writeFileSync(join(cli.folder, 'current'), `localhost_${front.port}\n`, { mode: 0o600 })
  expect((await cli.run(['status'])).code).toBe(4)
})

test('logout while the edge is away: exit 5 and the profile stays; with --force it goes', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  front.close()
  const refused = await cli.run(['logout', '--all'])
  expect(refused.stderr).toMatch(
    /^sallyport: error: Cannot sign out: localhost_\d+: localhost:\d+ cannot be reached \(ECONNREFUSED\)\nhint: .*--force\n$/,
  )
  expect(refused.code).toBe(5)
  expect(readdirSync(cli.folder)).toHaveLength(2)
  const forced = await cli.run(['logout', '--force'])
  expect(forced.stderr).toContain('It ends by itself.')
  expect([forced.code, readdirSync(cli.folder)]).toEqual([0, []])
})

test('token: a script makes its own request with token and proof', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const ask = async (more: readonly string[] = []) => {
    const { stdout } = await cli.run([
      'token',
      '--proof',
      'GET',
      `https://localhost:${front.port}/v1/me?x=1`,
      '--format=json',
      ...more,
    ])
    const { access_token, proof } = JSON.parse(stdout)
    return front.edge.send(`${issuer}/v1/me`, { headers: { authorization: `DPoP ${access_token}`, dpop: proof } })
  }
  const first = await ask()
  expect(first.status).toBe(401)
  const second = await ask([`--nonce=${first.headers.get('dpop-nonce')}`])
  expect([second.status, await second.json()]).toMatchObject([200, { user: { name: 'Ada' } }])
  const { stdout, stderr } = await cli.run(['token'])
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  expect(stderr).toContain('bound to the key')
})

test('admin users add: a tap approves it, and the link alone stands on stdout', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const running = cli.start(['admin', 'users', 'add', 'Grace', '--roles=access', '--ttl=2h'])
  await answerIn(running, front.person)
  const { code, stdout, stderr } = await running.ended
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^http:\/\/localhost:3080\/invite#[\w-]+\.[\w-]{43}\n$/),
  })
  expect(stderr).toContain('To approve Grace with access, open this page')
  const listed = await cli.run(['admin', 'users', 'ls'])
  expect(listed.stdout).toMatch(
    /^NAME +ROLES +STATE +PASSKEYS +LINK UNTIL +CREATED\nAda .*\nGrace +access +invited +0 +\d{4}-.*\n$/,
  )
  expect((await cli.run(['admin', 'users', 'rm', 'Grace'])).stderr).toMatch(
    /^This changes:\n@ Removed: the user Grace[\s\S]*\nGrace is removed\.\n$/,
  )
  expect(JSON.parse((await cli.run(['admin', 'users', 'ls', '--format=json'])).stdout)).toHaveLength(1)
})

test('admin users add that is refused in the browser: exit 3, nobody invited', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const running = cli.start(['admin', 'users', 'add', 'Grace', '--roles=access'])
  await answerIn(running, front.person, 'no')
  const { code, stdout, stderr } = await running.ended
  expect(stderr).toContain('sallyport: error: Cannot add the user: it was refused in the browser\n')
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(JSON.parse((await cli.run(['admin', 'users', 'ls', '--format=json'])).stdout)).toHaveLength(1)
})

const role = `kind: role
version: v7
metadata:
  name: dev
spec:
  allow:
    db_labels:
      env: dev
    db_users: [reader]
    db_names: [app]
`

test('admin create, get and rm: what get prints, create takes', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  expect((await cli.run(['admin', 'create', '-'], role)).stdout).toBe('KIND  NAME  OUTCOME\nrole  dev   created\n')
  const again = await cli.run(['admin', 'create', '-'], role)
  expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/document exists.*\nhint: .*--force\n$/)])
  for (const format of ['yaml', 'json']) {
    const { stdout } = await cli.run(['admin', 'get', 'all', `--format=${format}`])
    const back = await cli.run(['admin', 'create', '--force', '-', '--format=json'], stdout)
    expect(JSON.parse(back.stdout)).toMatchObject([
      { kind: 'role', name: 'dev', outcome: 'unchanged' },
      { kind: 'user', name: 'Ada', outcome: 'unchanged' },
    ])
  }
  expect((await cli.run(['admin', 'get', 'roles', '--format=text'])).stdout).toContain('editor')
  expect((await cli.run(['admin', 'get', 'role/gone'])).code).toBe(1)
  expect((await cli.run(['admin', 'create', '--diff', '--force', '-'], role.replace('app', 'web'))).stdout).toMatch(
    /^@ Replaced: role\/dev\n[\s\S]*\n- {7}- app\n\+ {7}- web\n/,
  )
  expect((await cli.run(['admin', 'rm', 'role/dev'])).stderr).toMatch(
    /\n- kind: role\n[\s\S]*\nThe role dev is removed\.\n$/,
  )
})

test('admin status, keys rotate and audit ls', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const { stdout } = await cli.run(['admin', 'status'])
  expect(stdout).toMatch(
    /^Cluster: +test\nIssuer: +\S+\nProxy: +\S+\nCA pin: +sha256:[\w-]{43}\nRoot passkey: +\S+ \(Ada, \S+\)\n(Signing key: .+\n)+$/,
  )
  const rotated = JSON.parse((await cli.run(['admin', 'keys', 'rotate', '--format=json'])).stdout)
  expect(rotated).toEqual({ current: expect.any(String), next: expect.any(String) })
  expect((await cli.run(['status'])).code).toBe(0)
  const events = JSON.parse((await cli.run(['admin', 'audit', 'ls', '--format=json', '--limit=3'])).stdout)
  expect(events).toHaveLength(3)
  const since = await cli.run(['admin', 'audit', 'ls', '--format=json', `--since-seq=${events[1].seq}`])
  const seqs = JSON.parse(since.stdout).map(({ seq }: { seq: number }) => seq)
  expect([seqs.at(-1), Math.min(...seqs) > events[1].seq]).toEqual([events[0].seq, true])
  expect((await cli.run(['admin', 'audit', 'ls'])).stdout).toMatch(/^SEQ +AT +KIND +OUTCOME +USER +FROM\n/)
})

const relaxed = 'kind: cluster_auth_preference\nversion: v2\nspec: { second_factors: [webauthn, otp] }\n'

test('where no tap is asked for: admin verbs ask nobody, and want a login that is recent', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  expect((await cli.run(['admin', 'create', '-'], relaxed)).code).toBe(0)
  expect((await cli.run(['admin', 'create', '-'], role)).stderr).toBe('')
})

test('admin passkeys ls and entrust: whose passkey approves nothing, until somebody lets it', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  front.edge.store.raw.exec('update credentials set may_vouch = 0')
  const { code, stderr } = await cli.run(['admin', 'create', '-'], role)
  expect({ code, stderr }).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('sallyport admin passkeys entrust'),
  })
  const { stdout } = await cli.run(['admin', 'passkeys', 'ls', 'ada'])
  expect(stdout).toMatch(/^NAME +APPROVES +MADE BY +SINCE +FINGERPRINT\n.+ no .+\n$/)
  expect((await cli.run(['admin', 'passkeys', 'entrust', 'ada', 'gone'])).code).toBe(1)
})

test('admin users rm with a login older than five minutes: exit 4, and what to do', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  expect((await cli.run(['admin', 'create', '-'], relaxed)).code).toBe(0)
  front.edge.store.raw.exec('update client_sessions set authenticated_at = authenticated_at - 360000')
  const { code, stderr } = await cli.run(['admin', 'users', 'rm', 'Ada'])
  expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringMatching(/\nhint: .*sallyport login\n$/) })
})
