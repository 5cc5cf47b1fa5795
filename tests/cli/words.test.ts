import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../runtime/launch.ts'
import { newCli } from './run-cli.ts'

const overview = /^Usage: sallyport COMMAND \[options\]\n/

test('--help and help: the commands and the exit codes on stdout', async () => {
  const cli = newCli()
  for (const args of [['--help'], ['-h'], ['help']]) {
    const { code, stdout, stderr } = await cli.run(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(overview)
    expect(stdout).toContain('4 sign in again')
  }
})

test('--version: the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  expect(await newCli().run(['--version'])).toEqual({ code: 0, stdout: `sallyport ${version}\n`, stderr: '' })
})

test('every command of the overview has help of its own, with examples, and takes no step for it', async () => {
  const cli = newCli()
  const { stdout } = await cli.run(['--help'])
  const verbs = [...stdout.matchAll(/^ {2}([a-z]+(?: [a-z]+)*) {3}/gm)].map(([, verb = '']) => verb.split(' '))
  expect(verbs.length).toBeGreaterThan(11)
  for (const verb of verbs) {
    const help = await cli.run([...verb, '--help'])
    expect({ verb, code: help.code, stderr: help.stderr }).toEqual({ verb, code: 0, stderr: '' })
    expect(help.stdout).toMatch(new RegExp(`^Usage: sallyport ${verb.join(' ')}`))
    expect(help.stdout).toContain('\nExamples:\n  sallyport ')
    expect(help.stdout).toContain('\nExit codes: 0 done, ')
    for (const line of help.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  }
  expect(existsSync(cli.folder)).toBe(false)
  // A process for each.
}, 90_000)

test('a group of commands alone: its commands, exit 2; with --help exit 0', async () => {
  const cli = newCli()
  const alone = await cli.run(['admin', 'users'])
  expect({ code: alone.code, stdout: alone.stdout }).toEqual({ code: 2, stdout: '' })
  expect(alone.stderr).toContain('  admin users add     invite somebody\n')
  expect(alone.stderr).not.toContain('  login')
  expect((await cli.run(['admin', '--help'])).code).toBe(0)
  expect((await cli.run([])).code).toBe(2)
})

const wrong: [args: string[], state: string, hint: string][] = [
  [['statsu'], 'run this command: there is no command "sallyport statsu"', 'did you mean "sallyport status"?'],
  [['lgoin'], 'run this command: there is no command "sallyport lgoin"', 'did you mean "sallyport login"?'],
  [['dance'], 'run this command: there is no command "sallyport dance"', 'sallyport --help lists the commands'],
  [
    ['admin', 'usres', 'ls'],
    'run this command: there is no command "sallyport admin usres"',
    'did you mean "sallyport admin users"?',
  ],
  [
    ['admin', 'users', 'list'],
    'run this command: there is no command "sallyport admin users list"',
    'sallyport admin users --help lists the commands',
  ],
  [
    ['constructor'],
    'run this command: there is no command "sallyport constructor"',
    'sallyport --help lists the commands',
  ],
  [['--dance'], 'run this command: no command is given', 'sallyport --help lists them'],
  [['status', '--fromat=json'], 'show the status: there is no option --fromat', 'did you mean --format?'],
  [
    ['status', '--format=xml'],
    'show the status: there is no format xml',
    'use --format=text, --format=json, --format=yaml',
  ],
  [['status', 'now'], 'show the status: too much is given', 'sallyport status [--offline] [--format=text|json|yaml]'],
  [
    ['status', '--profile'],
    "show the status: Option '--profile <value>' argument missing",
    'sallyport status [--offline] [--format=text|json|yaml]',
  ],
  [['login'], 'sign in: no proxy is given', 'sallyport login --proxy=HOST:PORT'],
  [
    ['login', '--proxy=http://x'],
    'sign in: "http://x" is not the address of a proxy: http:// is not a way to reach one, only https:// is',
    'write it as HOST:PORT, such as localhost:3443 or access.example.com',
  ],
  [
    ['login', '--proxy=x:99999'],
    'sign in: "x:99999" is not the address of a proxy: host or port is not valid',
    'write it as HOST:PORT, such as localhost:3443 or access.example.com',
  ],
  [
    ['login', '--proxy=x/y'],
    'sign in: "x/y" is not the address of a proxy: more follows after host and port',
    'write it as HOST:PORT, such as localhost:3443 or access.example.com',
  ],
  [
    ['login', '--proxy=a@x'],
    'sign in: "a@x" is not the address of a proxy: it names a user',
    'write it as HOST:PORT, such as localhost:3443 or access.example.com',
  ],
  [
    ['login', '--proxy=x', '--ca-pin=y'],
    'sign in: y is not a pin',
    'a pin is sha256: and 43 letters: "sallyport admin status" shows it',
  ],
  [
    ['admin', 'users', 'add', 'bob'],
    'add the user: no role is given',
    'sallyport admin users add NAME --roles=ROLE,ROLE',
  ],
  [
    ['admin', 'users', 'add', 'bob', '--roles=a', '--ttl=soon'],
    'add the user: soon is not a duration',
    'write it as 30m, 4h or 1h30m',
  ],
  [
    ['admin', 'users', 'rm'],
    'remove the user: something is missing',
    'sallyport admin users rm NAME [--yes] [--no-browser]',
  ],
  [
    ['token', '--proof', 'GET'],
    'show a token: --proof wants a method such as GET and a URL',
    'sallyport token --proof METHOD URL',
  ],
  [
    ['admin', 'audit', 'ls', '--limit=many'],
    'list the audit log: --limit wants a whole number, not many',
    '--limit=20',
  ],
]

test.each(wrong)('wrong usage %j: said in two lines, exit 2', async (args, state, hint) => {
  const cli = newCli()
  expect(await cli.run(args)).toEqual({
    code: 2,
    stdout: '',
    stderr: `sallyport: error: Cannot ${state}\nhint: ${hint}\n`,
  })
  expect(existsSync(cli.folder)).toBe(false)
})

const signedOut = [
  ['status'],
  ['status', '--offline'],
  ['logout'],
  ['token'],
  ['admin', 'status'],
  ['admin', 'users', 'ls'],
  ['admin', 'users', 'rm', 'x', '--yes'],
  ['admin', 'get', 'all'],
  ['admin', 'rm', 'role/x', '--yes'],
  ['admin', 'audit', 'ls'],
  ['admin', 'keys', 'rotate'],
  ['admin', 'users', 'add', 'x', '--roles=y'],
]
test.each(signedOut.map((args) => ({ args })))(
  'without a profile $args: exit 4 and the way to one',
  async ({ args }) => {
    const { code, stdout, stderr } = await newCli().run(args)
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
    expect(stderr).toMatch(
      /^sallyport: error: Cannot [a-z ]+: nobody is signed in here\nhint: sallyport login --proxy=HOST:PORT\n$/,
    )
  },
)
