import { spawn } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nameOf } from '../../cli/profiles.ts'
import { root } from '../runtime/launch.ts'
import { type Cli, newCli, putProfile, someProfile } from './run-cli.ts'

const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8)
const offline = ['status', '--offline', '--format=json']

async function expectRefused(cli: Cli, state: string, hint: string) {
  const { code, stdout, stderr } = await cli.run(offline)
  expect(stderr).toBe(`sallyport: error: Cannot show the status: ${state}\nhint: ${hint}\n`)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
}

test('a profile that is ours alone is read', async () => {
  const cli = newCli()
  putProfile(cli)
  const { code, stdout } = await cli.run(offline)
  expect(JSON.parse(stdout)).toMatchObject({ profile: 'localhost_3443', user: 'alice', roles: ['access', 'editor'] })
  expect(code).toBe(0)
})

test.each(['640', '604', '620', '602', '666'])(
  'a file of mode %s is refused, with the chmod that mends it',
  async (mode) => {
    const cli = newCli()
    const file = putProfile(cli)
    chmodSync(file, Number.parseInt(mode, 8))
    await expectRefused(cli, `${file} is open to other users (mode ${mode})`, `chmod 600 ${file}`)
    chmodSync(file, 0o600)
    expect((await cli.run(offline)).code).toBe(0)
  },
)

test.each(['750', '705', '770', '777'])(
  'a folder of mode %s is refused, with the chmod that mends it',
  async (mode) => {
    const cli = newCli()
    putProfile(cli)
    chmodSync(cli.folder, Number.parseInt(mode, 8))
    await expectRefused(cli, `${cli.folder} is open to other users (mode ${mode})`, `chmod 700 ${cli.folder}`)
  },
)

test('a symbolic link is refused, as file and as folder', async () => {
  const cli = newCli()
  const file = putProfile(cli)
  renameSync(file, join(cli.home, 'elsewhere.json'))
  symlinkSync(join(cli.home, 'elsewhere.json'), file)
  await expectRefused(cli, `${file} is a symbolic link`, `rm ${file}, then sallyport login`)
  rmSync(file)
  renameSync(cli.folder, join(cli.home, 'folder'))
  symlinkSync(join(cli.home, 'folder'), cli.folder)
  await expectRefused(cli, `${cli.folder} is a symbolic link`, `rm ${cli.folder}, then sallyport login`)
})

test('what is no file is refused', async () => {
  const cli = newCli()
  const file = putProfile(cli)
  rmSync(file)
  mkdirSync(file, { mode: 0o700 })
  await expectRefused(cli, `${file} is not a file`, 'move it away, then sallyport login')
})

test('a profile of another user is refused', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('only root can give a file away')
  const cli = newCli()
  const file = putProfile(cli)
  const { chownSync } = await import('node:fs')
  chownSync(file, 65534, 65534)
  await expectRefused(cli, `${file} belongs to another user`, `chown "$USER" ${file}`)
})

const damaged: [what: string, content: string, why: string][] = [
  ['cut short', JSON.stringify(someProfile).slice(0, 200), 'no JSON'],
  ['empty', '', 'no JSON'],
  ['a list', '[]', 'profile: an object'],
  ['without its key', JSON.stringify({ ...someProfile, key: undefined }), 'profile.key: an object'],
  [
    'with a number as token',
    JSON.stringify({ ...someProfile, tokens: { ...someProfile.tokens, refresh: 1 } }),
    'profile.tokens.refresh: text of at most 512 characters',
  ],
]

test.each(damaged)('a profile %s is refused, not mended', async (_, content, why) => {
  const cli = newCli()
  const file = putProfile(cli, 'localhost_3443', content)
  await expectRefused(cli, `the profile ${file} is damaged (${why})`, `rm ${file}, then sallyport login`)
  expect(readFileSync(file, 'utf8')).toBe(content)
})

test('a profile of a newer sallyport is refused', async () => {
  const cli = newCli()
  const file = putProfile(cli, 'localhost_3443', { ...someProfile, v: 2 })
  await expectRefused(cli, `a newer sallyport wrote the profile ${file}`, 'update sallyport')
})

test('a path that a shell would split is quoted in the hint', async () => {
  const cli = newCli({ XDG_CONFIG_HOME: "/tmp/a b'c" })
  const folder = "/tmp/a b'c/sallyport"
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o755)
  try {
    await expectRefused(cli, `${folder} is open to other users (mode 755)`, `chmod 700 '/tmp/a b'\\''c/sallyport'`)
  } finally {
    rmSync("/tmp/a b'c", { recursive: true })
  }
})

test('config use and config profiles: choosing one, by flag, variable or for good', async () => {
  const cli = newCli()
  putProfile(cli, 'home', { ...someProfile, who: { ...someProfile.who, user: 'bob' } })
  putProfile(cli)
  const users = async (args: readonly string[], env = {}) => {
    const child = spawn(process.execPath, [join(root, 'cli/main.ts'), ...offline, ...args], {
      env: { ...cli.env, ...env },
    })
    let text = ''
    child.stdout.on('data', (part) => {
      text += part
    })
    await new Promise((done) => child.once('close', done))
    return (JSON.parse(text) as { user: string }).user
  }
  expect(await users([])).toBe('alice')
  expect(await users(['--profile=home'])).toBe('bob')
  expect(await users([], { SALLYPORT_PROFILE: 'home' })).toBe('bob')
  expect(await users([], { SALLYPORT_PROXY: 'https://localhost:3443/' })).toBe('alice')
  expect((await cli.run(['config', 'use', 'home'])).code).toBe(0)
  expect(await users([])).toBe('bob')
  const { stdout } = await cli.run(['config', 'profiles'])
  expect(stdout).toMatch(
    /^CURRENT +NAME +PROXY +USER +VALID UNTIL\n\* +home +localhost:3443 +bob .*\n +localhost_3443 .*\n$/,
  )
  const { code, stderr } = await cli.run(['config', 'use', 'hone'])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'sallyport: error: Cannot choose a profile: there is no profile hone\nhint: did you mean home?\n',
  })
})

test.each(['../x', 'a/b', '.hidden', '', 'a\u0000b', 'x'.repeat(101)])('%j is no name for a profile', async (name) => {
  const { code, stderr } = await newCli().run(['config', 'use', '--', name].filter((arg) => !arg.includes('\u0000')))
  expect(code).toBe(2)
  expect(stderr).toMatch(/^sallyport: error: Cannot choose a profile: /)
})

test.each([
  ['localhost:3443', 'localhost_3443'],
  ['access.example.com:443', 'access.example.com_443'],
  ['[::1]:3443', '___1__3443'],
])('nameOf: %s is kept as %s', (proxy, name) => {
  expect(nameOf(proxy)).toBe(name)
})

/** Writes the profile `count` times, as fast as it can. */
const writer = (user: string, count: number) => `
import { writeProfile, readProfile } from ${JSON.stringify(join(root, 'cli/profiles.ts'))}
const profile = ${JSON.stringify(someProfile)}
profile.who = { ...profile.who, user: ${JSON.stringify(user)}.repeat(200) }
for (let i = 0; i < ${count}; i++) { writeProfile('shared', profile); readProfile('shared') }
`

test('two processes that write at once leave a whole profile, and no drafts', async () => {
  const cli = newCli()
  const run = (user: string) =>
    new Promise<number | null>((done) => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', writer(user, 100)], {
        env: cli.env,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      child.once('close', done)
    })
  expect(await Promise.all([run('a'), run('b')])).toEqual([0, 0])
  const { who } = JSON.parse(readFileSync(join(cli.folder, 'shared.json'), 'utf8')) as typeof someProfile
  expect(who.user).toMatch(/^(a{200}|b{200})$/)
  expect(readdirSync(cli.folder)).toEqual(['shared.json'])
  expect([modeOf(cli.folder), modeOf(join(cli.folder, 'shared.json'))]).toEqual(['700', '600'])
})

test('a profile that cannot be written stays as it was', async () => {
  const cli = newCli()
  const file = putProfile(cli)
  const before = readFileSync(file, 'utf8')
  mkdirSync(join(cli.folder, 'kept'))
  // A folder in the way of `current` fails the rename, not the write before it.
  rmSync(join(cli.folder, 'current'))
  mkdirSync(join(cli.folder, 'current'), { mode: 0o700 })
  writeFileSync(join(cli.folder, 'current', 'x'), '')
  const { code } = await cli.run(['config', 'use', 'localhost_3443'])
  expect(code).toBe(1)
  expect(readFileSync(file, 'utf8')).toBe(before)
  expect(readdirSync(cli.folder).sort()).toEqual(['current', 'kept', 'localhost_3443.json'])
})

test('a home that is no folder is said, not stumbled over', async () => {
  const cli = newCli()
  writeFileSync(join(cli.home, 'file'), '')
  Object.assign(cli.env, { XDG_CONFIG_HOME: join(cli.home, 'file') })
  await expectRefused(
    cli,
    `${join(cli.home, 'file', 'sallyport')} cannot be reached (ENOTDIR)`,
    'check HOME and XDG_CONFIG_HOME',
  )
})
