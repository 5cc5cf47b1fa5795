/** `admin locks`: documents of the kind lock, for people in a hurry. */
import { expect, test } from 'vitest'
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
    new RegExp(`^bob b\\. is locked until \\S+ \\S+ UTC\\.\nTo end it: sallyport admin locks rm ${name}\n$`),
  )
  expect(added.code).toBe(0)
  expect((await admin.run(['admin', 'locks', 'add', '--user=Bob B.', '--name=bob-left'])).stdout).toBe('bob-left\n')
  const { stdout } = await admin.run(['admin', 'locks', 'ls'])
  expect(stdout).toMatch(/^NAME +USER +UNTIL +MESSAGE\n/)
  expect(stdout).toMatch(
    new RegExp(`^${name} +bob b\\. +\\S+ \\S+ UTC \\(in (1 h 0|60) min\\) +Call the office\\.$`, 'mi'),
  )
  expect(stdout).toMatch(/^bob-left +Bob B\. +for ever$/m)
  const data = JSON.parse((await admin.run(['admin', 'locks', 'ls', '--format=json'])).stdout)
  expect(data).toContainEqual({ name: 'bob-left', user: 'Bob B.' })
  expect(await admin.run(['admin', 'locks', 'rm', name])).toEqual({
    code: 0,
    stdout: '',
    stderr: `The lock ${name} is removed.\n`,
  })
  expect((await admin.run(['admin', 'locks', 'rm', name])).code).not.toBe(0)
})

test('a lock on a name that nobody has would lock nobody', async () => {
  const cli = await signedIn(await newFront())
  expect(await cli.run(['admin', 'locks', 'add', '--user=Adda'])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'sallyport: error: Cannot lock the user: there is no user Adda\nhint: did you mean Ada?\n',
  })
})

const wrong: [args: string[], why: string][] = [
  [[], 'no user is given'],
  [['--user=Ada', '--ttl=soon'], 'soon is not a duration'],
  [['--user=Ada', '--ttl=0s'], '0s is not a duration'],
  [['--user=Ada', '--name=a lock'], '`a lock`: expected a name of 1 to 128 letters'],
]

test.each(wrong)('%j: exit 2', async (args, why) => {
  const { code, stderr } = await newCli().run(['admin', 'locks', 'add', ...args])
  expect(stderr).toContain(`sallyport: error: Cannot lock the user: ${why}`)
  expect(code).toBe(2)
})
