/** `admin locks`: documents of the kind lock, for people in a hurry. */
import { expect, test } from 'vitest'
import type { Json } from '../../../core/intent.ts'
import { newCli } from '../run-cli.ts'
import { newFront, signedIn } from '../tls-edge.ts'

test('add, ls and rm: whom, until when and why; the name of the lock stands on stdout', async () => {
  const bob = { name: 'Bob B.', state: 'active', roles: ['access'], passkeys: 1, created_at: 1 }
  const front = await newFront()
  const admin = await signedIn(front)
  front.interfere = (_, path) => (path === '/v1/users' ? { json: { users: [bob] } } : undefined)
  const added = await admin.run(['admin', 'locks', 'add', '--user=bob b.', '--ttl=1h', '--message=Call the office.'])
  expect(added.stdout).toMatch(/^bob-b-[0-9a-f]{8}\n$/)
  const name = added.stdout.trim()
  expect(added.stderr).toMatch(
    new RegExp(`^bob b\\. is locked until \\S+ \\S+ UTC\\.\nTo end it: sallyport admin locks rm ${name}\n$`, 'm'),
  )
  expect(added.code).toBe(0)
  expect((await admin.run(['admin', 'locks', 'add', '--user=Bob B.', '--name=bob-left'])).stdout).toBe('bob-left\n')
  const { stdout } = await admin.run(['admin', 'locks', 'ls'])
  expect(stdout).toMatch(/^NAME +LOCKED +UNTIL +BY +MESSAGE\n/)
  expect(stdout).toMatch(
    new RegExp(`^${name} +user bob b\\. +\\S+ \\S+ UTC \\(in (1 h 0|60) min\\) +Ada +Call the office\\.$`, 'mi'),
  )
  expect(stdout).toMatch(/^bob-left +user Bob B\. +for ever +Ada$/m)
  const data = JSON.parse((await admin.run(['admin', 'locks', 'ls', '--format=json'])).stdout)
  expect(data).toContainEqual({ name: 'bob-left', target: { user: 'Bob B.' }, by: 'Ada' })
  const removed = await admin.run(['admin', 'locks', 'rm', name])
  expect(removed).toMatchObject({ code: 0, stdout: '' })
  expect(removed.stderr).toMatch(new RegExp(`^The lock ${name} is removed\\.\n$`, 'm'))
  expect((await admin.run(['admin', 'locks', 'rm', name])).code).not.toBe(0)
})

test('one of each kind that can be known is taken by its name, and a proxy by its name or its id', async () => {
  const front = await newFront()
  const admin = await signedIn(front)
  const [proxy] = ['a'.repeat(43)]
  const listed = { id: 'the-id', user: 'Bob', kind: 'totp', name: 'Phone', created_at: 1 }
  const answers: Record<string, Json> = {
    '/v1/factors': { factors: [listed] },
    '/v1/proxies': { proxies: [{ id: proxy, name: 'p1', registered_at: 1 }] },
  }
  front.interfere = (_, path) => (answers[path] === undefined ? undefined : { json: answers[path] })
  const file = `kind: role
version: v7
metadata: {name: dev}
spec: {}
---
kind: db
version: v3
metadata: {name: pg-1}
spec: {protocol: postgres, uri: 'localhost:5432'}
`
  expect((await admin.run(['admin', 'create', '-'], file)).code).toBe(0)
  const flags: Record<string, [flag: string, target: Json]> = {
    a: ['--role=dev', { role: 'dev' }],
    b: ['--db=pg-1', { db: 'pg-1' }],
    c: ['--mfa-device=the-id', { mfa_device: 'the-id' }],
    d: ['--proxy=p1', { proxy }],
    e: [`--proxy=${proxy}`, { proxy }],
    f: ['--login=root', { login: 'root' }],
    g: ['--device=tag-1', { device: 'tag-1' }],
    h: ['--agent=a-1', { agent: 'a-1' }],
    i: ['--host=Git.Example.com:443', { host: 'git.example.com:443' }],
  }
  const expires = '2099-01-31T12:00:00Z'
  for (const [name, [flag]] of Object.entries(flags)) {
    const { code, stdout, stderr } = await admin.run([
      ...['admin', 'locks', 'add', flag, `--name=${name}`, `--expires=${expires}`],
    ])
    expect([flag, code, stdout]).toEqual([flag, 0, `${name}\n`])
    expect(/is enrolled yet/.test(stderr)).toBe('gh'.includes(name))
  }
  const data = JSON.parse((await admin.run(['admin', 'locks', 'ls', '--format=json'])).stdout)
  expect(data).toEqual(Object.entries(flags).map(([name, [, target]]) => ({ name, target, expires, by: 'Ada' })))

  const missing: [flag: string, why: string, hint: string][] = [
    ['--role=devs', 'there is no role devs', 'did you mean dev?'],
    ['--db=pg-7', 'there is no db pg-7', 'did you mean pg-1?'],
    ['--node=web', 'there is no node web', 'sallyport admin get node'],
    ['--mfa-device=other', 'there is no mfa device other', 'sallyport admin mfa ls shows their ids'],
    ['--proxy=elsewhere', 'there is no proxy elsewhere', 'there are p1'],
  ]
  for (const [flag, why, hint] of missing) {
    const { code, stderr } = await admin.run(['admin', 'locks', 'add', flag])
    expect([code, stderr]).toEqual([1, `sallyport: error: Cannot make the lock: ${why}\nhint: ${hint}\n`])
  }
}, 60_000)

test('ids of passkeys stand where an administrator and where their owner looks', async () => {
  const admin = await signedIn(await newFront())
  const { stdout } = await admin.run(['admin', 'mfa', 'ls'])
  expect(stdout).toMatch(/^USER +NAME +KIND +MAKE +LAST USED +ID\nAda +.+ passkey .* [A-Za-z0-9_-]{43}\n$/)
  const [one] = JSON.parse((await admin.run(['admin', 'mfa', 'ls', '--user=ADA', '--format=json'])).stdout)
  expect(one).toMatchObject({ user: 'Ada', kind: 'passkey' })
  const [own] = JSON.parse((await admin.run(['mfa', 'ls', '--format=json'])).stdout).factors
  expect(own.id).toBe(one.id)
  expect(JSON.parse((await admin.run(['admin', 'mfa', 'ls', '--user=Bob', '--format=json'])).stdout)).toEqual([])
  const { code, stderr } = await admin.run(['admin', 'locks', 'add', `--mfa-device=${one.id}`])
  expect(code).toBe(1)
  expect(stderr).toContain('You are signed in with that passkey. Another administrator can do this for you.')
})

test('who holds a locked role is listed as locked, and by what', async () => {
  const bob = { name: 'Bob', roles: ['dev'], state: 'locked', locked_by: 'role:dev', passkeys: 1, created_at: 1 }
  const front = await newFront()
  const admin = await signedIn(front)
  front.interfere = (_, path) => (path === '/v1/users' ? { json: { users: [bob] } } : undefined)
  expect((await admin.run(['admin', 'users', 'ls'])).stdout).toMatch(/^Bob +dev +locked \(role dev\) +1 /m)
  const [listed] = JSON.parse((await admin.run(['admin', 'users', 'ls', '--format=json'])).stdout)
  expect(listed).toMatchObject({ state: 'locked', locked_by: 'role:dev' })
})

test('a lock on a name that nobody has would lock nobody', async () => {
  const cli = await signedIn(await newFront())
  expect(await cli.run(['admin', 'locks', 'add', '--user=Adda'])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'sallyport: error: Cannot make the lock: there is no user Adda\nhint: did you mean Ada?\n',
  })
})

const wrong: [args: string[], why: string][] = [
  [[], 'nothing to lock is given'],
  [['--user=Ada', '--role=dev'], '--user and --role are given: a lock names one thing'],
  [['--user=Ada', '--ttl=1h', '--expires=2099-01-31T12:00:00Z'], '--ttl and --expires are given'],
  [['--user=Ada', '--expires=2020-01-31T12:00:00Z'], '2020-01-31T12:00:00Z is over'],
  [['--user=Ada', '--expires=tomorrow'], '`tomorrow`: expected an instant'],
  [['--role=Dev'], '`Dev`: expected the name of a role'],
  [['--user=Ada', '--ttl=soon'], 'soon is not a duration'],
  [['--user=Ada', '--ttl=0s'], '0s is not a duration'],
  [['--user=Ada', '--name=a lock'], '`a lock`: expected a name of 1 to 128 letters'],
]

test.each(wrong)('%j: exit 2', async (args, why) => {
  const { code, stderr } = await newCli().run(['admin', 'locks', 'add', ...args])
  expect(stderr).toContain(`sallyport: error: Cannot make the lock: ${why}`)
  expect(code).toBe(2)
})
