/** What somebody signs in with, from the terminal: passkeys, authenticator apps, recovery codes. */
import { spawnSync } from 'node:child_process'
import { encode } from 'uqr'
import { expect, test } from 'vitest'
import { addPasskey } from '../client.ts'
import { addTotp, makeRecoveryCodes, setPassword } from '../factors.ts'
import { hasTmux, newTerminal, skipReason } from './pty.ts'
import { type Cli, type Running, recordingBrowser } from './run-cli.ts'
import { answerIn, type Front, issuer, newFront, signedIn } from './tls-edge.ts'

const hasOathtool = spawnSync('oathtool', ['--version']).status === 0
const noOathtool = 'oathtool is not installed'

/** What the app shows, as another implementation computes it. */
const shownBy = (secret: string): string =>
  spawnSync('oathtool', ['--totp', '--base32', secret], { encoding: 'utf8' }).stdout.trim()

const bothFactors =
  'kind: cluster_auth_preference\nversion: v2\nspec: {allow_passwords: true, second_factors: [webauthn, otp]}\n'

async function withCodes(): Promise<{ front: Front; cli: Awaited<ReturnType<typeof signedIn>> }> {
  const front = await newFront()
  const cli = await signedIn(front)
  const { code, stderr } = await cli.run(['admin', 'create', '--force', '-'], bothFactors)
  if (code !== 0) throw new Error(stderr)
  return { front, cli }
}

const add = (cli: Cli, ...more: string[]) =>
  cli.start(['mfa', 'add', '--type=totp', '--name=Phone', '--no-browser', ...more], { open: true })

/** The key as it stands in groups. */
async function keyIn(running: Pick<Running, 'seen'>): Promise<string> {
  const [, groups = ''] = await running.seen(/^ {2}((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})$/m)
  return groups.replaceAll(' ', '')
}

const answer = (running: Running, line: string) => running.child.stdin?.write(`${line}\n`)
const appsOf = ({ edge }: Front) => edge.rows('select name from totps').map(({ name }) => name)

test('mfa ls, add and rm', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const { visitor, passkey } = front.person
  await addPasskey(visitor, passkey, await front.edge.authenticator(), { name: 'Blue key' })
  const { stdout } = await cli.run(['mfa', 'ls'])
  expect(stdout).toMatch(/^NAME +KIND +MAKE +SYNCED +CREATED +LAST USED +ID\n/)
  expect(stdout).toMatch(/^Blue key +passkey +\S.* +(yes|no) +\S+ \S+ UTC +never +\S+$/m)
  const browser = recordingBrowser(cli.home)
  Object.assign(cli.env, { BROWSER: browser.program })
  const added = await cli.run(['mfa', 'add'])
  expect([added.code, added.stderr]).toEqual([0, expect.stringContaining(`${issuer}/account#name\n`)])
  await expect.poll(() => browser.calls().trim()).toBe(`${issuer}/account#name`)
  const running = cli.start(['mfa', 'rm', 'Blue key', '--no-browser'])
  await answerIn(running, front.person)
  expect((await running.ended).stderr).toContain('The passkey "Blue key" is removed.\n')
  expect(JSON.parse((await cli.run(['mfa', 'ls', '--format=json'])).stdout)).toMatchObject({
    factors: [{ kind: 'passkey' }],
    recovery_codes: 0,
  })
  const unknown = await cli.run(['mfa', 'rm', 'Blue key'])
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('See which you have: sallyport mfa ls')])
})

test('mfa add --type=totp: approved in the browser, its key as text, a code of it typed here', async (context) => {
  if (!hasOathtool) return context.skip(noOathtool)
  const { front, cli } = await withCodes()
  const running = add(cli)
  await running.seen(/To approve that the authenticator app "Phone" is added, open this page/)
  expect(running.stderr()).not.toContain('otpauth:')
  await answerIn(running, front.person)
  const secret = await keyIn(running)
  await running.seen(/^Code that the app shows now:$/m)
  answer(running, '000000')
  await running.seen(/^That code does not fit\. Wait for the next one, and type it\.$/m)
  const code = shownBy(secret)
  answer(running, ` ${code.slice(0, 3)} ${code.slice(3)} `)
  const { code: exit, stdout, stderr } = await running.ended
  expect([exit, stdout]).toEqual([0, ''])
  expect(stderr).toMatch(
    new RegExp(
      `\nType this key into the app, or open the address in it:\n\n  [A-Z2-7 ]{39}\n  otpauth://totp/localhost:Ada\\?\\S*secret=${secret}\\S*\n\nWhoever sees one of them can make your codes: .+\n`,
    ),
  )
  expect(stderr).not.toMatch(/[▄▀█]/)
  expect(stderr).toMatch(/\nThe authenticator app "Phone" is added\.\n$/)
  const { stdout: listed } = await cli.run(['mfa', 'ls'])
  expect(listed).toMatch(/^Phone +totp +- +- +\S+ \S+ UTC +never +[\w-]{22}\nRecovery codes left: 0\n$/m)
})

test('its key and codes stand in no line of --debug; with --format=json the result is alone on stdout', async (context) => {
  if (!hasOathtool) return context.skip(noOathtool)
  const { front, cli } = await withCodes()
  const running = add(cli, '--debug', '--format=json')
  await answerIn(running, front.person)
  const secret = await keyIn(running)
  const code = shownBy(secret)
  answer(running, code)
  const { stdout, stderr } = await running.ended
  expect(JSON.parse(stdout)).toEqual({ kind: 'totp', name: 'Phone' })
  const debugged = stderr.split('\n').filter((line) => line.startsWith('debug: '))
  expect(debugged).toContain('debug: POST /v1/me/totps')
  const { sealed } = JSON.parse(front.received.find(({ path }) => path === '/v1/me/totps')?.body ?? '{}')
  for (const hidden of [secret, sealed, code]) expect(debugged.join('\n')).not.toContain(hidden)
})

test('three codes that do not fit, or none at all, add nothing', async () => {
  const { front, cli } = await withCodes()
  const wrong = add(cli)
  await answerIn(wrong, front.person)
  await keyIn(wrong)
  wrong.child.stdin?.end('000000\n111111\nabc\n999999\n')
  const { code, stderr } = await wrong.ended
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(
      /error: Cannot add .+: 3 codes did not fit, nothing was added\nhint: remove what the app has, /,
    ),
  ])
  const silent = add(cli)
  await answerIn(silent, front.person)
  await keyIn(silent)
  silent.child.stdin?.end()
  expect(await silent.ended).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/error: Cannot add .+: no code came, nothing was added\nhint: /),
  })
  expect(appsOf(front)).toEqual([])
})

test('refused in the browser, or where codes are not used: no key is shown', async () => {
  const { front, cli } = await withCodes()
  const refused = add(cli)
  await answerIn(refused, front.person, 'no')
  expect(await refused.ended).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('it was refused in the browser'),
  })
  expect(refused.stderr()).not.toContain('otpauth:')
  await cli.run(['admin', 'rm', 'cap', '--yes'])
  expect(await add(cli).ended).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/codes off .*\nhint: Use a passkey: codes are not used here\.\n$/),
  })
})

test.each([
  [['--type=sms'], 'there is no type sms'],
  [['--name=Phone'], 'a passkey gets its name on the page'],
])('mfa add %s is a mistake in usage', async (more, why) => {
  const front = await newFront()
  const cli = await signedIn(front)
  const { code, stderr } = await cli.run(['mfa', 'add', ...more])
  expect([code, stderr]).toEqual([2, expect.stringContaining(why)])
})

test('mfa rm: an app by name or id; one name for two things is told apart by ids', async () => {
  const { front, cli } = await withCodes()
  const { visitor, passkey } = front.person
  await addPasskey(visitor, passkey, await front.edge.authenticator(), { name: 'Phone' })
  await addTotp(front.edge, visitor, passkey, 'Phone')
  await addTotp(front.edge, visitor, passkey, 'Tablet')
  await makeRecoveryCodes(visitor, passkey)
  const { factors, recovery_codes } = JSON.parse((await cli.run(['mfa', 'ls', '--format=json'])).stdout) as {
    factors: { id: string; kind: string; name: string }[]
    recovery_codes: number
  }
  expect(recovery_codes).toBe(10)
  const [key, app] = ['passkey', 'totp'].map((kind) => factors.find((one) => one.kind === kind && one.name === 'Phone'))
  const ambiguous = await cli.run(['mfa', 'rm', 'Phone'])
  expect([ambiguous.code, ambiguous.stderr]).toEqual([
    1,
    `sallyport: error: Cannot remove it: you have 2 of the name Phone\nhint: remove the passkey with "sallyport mfa rm -- ${key?.id}", the authenticator app with "sallyport mfa rm -- ${app?.id}"\n`,
  ])
  const byId = cli.start(['mfa', 'rm', '--no-browser', '--', app?.id ?? ''])
  await answerIn(byId, front.person)
  expect((await byId.ended).stderr).toMatch(/\nThe authenticator app "Phone" is removed\.\n$/)
  const byName = cli.start(['mfa', 'rm', 'Tablet', '--no-browser'])
  await answerIn(byName, front.person)
  expect((await byName.ended).code).toBe(0)
  expect(appsOf(front)).toEqual([])
  const passkeyNow = cli.start(['mfa', 'rm', 'Phone', '--no-browser'])
  await answerIn(passkeyNow, front.person)
  expect((await passkeyNow.ended).stderr).toContain('The passkey "Phone" is removed.\n')
})

test('mfa rm of the last factor is refused before anybody taps', async () => {
  const { front, cli } = await withCodes()
  const { visitor, passkey } = front.person
  await addTotp(front.edge, visitor, passkey, 'Phone')
  await setPassword(visitor, passkey)
  const codesOnly = bothFactors.replace('[webauthn, otp]', '[otp], passwordless: false')
  expect((await cli.run(['admin', 'create', '--force', '-'], codesOnly)).code).toBe(0)
  expect(await cli.run(['mfa', 'rm', 'Phone'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/last factor .*\nhint: Add another way to sign in first: /),
  })
})

/** What a picture of half blocks shows: whether each module is dark, but for the border to the left and right. */
const modulesIn = (screen: string, inkIsDark: boolean) =>
  screen
    .split('\n')
    .filter((line) => /[▄▀█]/.test(line))
    .flatMap((line) => {
      const cells = [...line.padEnd(200)].map((cell) => ' ▄▀█'.indexOf(cell))
      return [2, 1].map((half) => cells.map((cell) => ((cell & half) !== 0) === inkIsDark))
    })

/** Adds an app on a terminal, as far as the code. */
async function addOnTerminal(env: Readonly<Record<string, string>>, columns?: number) {
  const { front, cli } = await withCodes()
  const terminal = newTerminal(cli.home, { ...cli.env, ...env }, columns)
  terminal.run('mfa add --type=totp --name=Phone --no-browser')
  await answerIn(terminal, front.person)
  await terminal.seen(/Code that the app shows now:/)
  const [uri] = await terminal.seen(/otpauth:\S+/)
  const { data, size } = encode(uri, { ecc: 'L', border: 4 })
  const cut = <T>(rows: readonly (readonly T[])[]) => rows.slice(0, size - 8).map((row) => row.slice(4, size - 4))
  return { front, terminal, dark: cut(data.slice(4)), cut, secret: await keyIn(terminal) }
}

test('on a terminal the key is a QR code, dark on light, and its code is asked for', async (context) => {
  if (!hasTmux) return context.skip(skipReason)
  if (!hasOathtool) return context.skip(noOathtool)
  const { front, terminal, dark, cut, secret } = await addOnTerminal({})
  expect(cut(modulesIn(await terminal.shows(/▀/), true))).toEqual(dark)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
  expect(await terminal.shows(/▀/, true)).toMatch(/\u001b\[30m\u001b\[107m\s+█▀▀/)
  terminal.type(shownBy(secret))
  await terminal.shows(/The authenticator app "Phone" is added\.\nexit 0/)
  expect(appsOf(front)).toEqual(['Phone'])
})

test('with NO_COLOR it is drawn for light text on dark; Ctrl-C adds nothing', async (context) => {
  if (!hasTmux) return context.skip(skipReason)
  const { front, terminal, dark, cut } = await addOnTerminal({ NO_COLOR: '1' })
  expect(cut(modulesIn(await terminal.shows(/▀/), false).slice(4))).toEqual(dark)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
  expect(await terminal.shows(/▀/, true)).not.toMatch(/\u001b\[107m/)
  terminal.press('C-c')
  await terminal.shows(/sallyport: stopped, nothing was changed\nexit 130/)
  expect(appsOf(front)).toEqual([])
})

test('a terminal that is too narrow for a QR code gets the key as text', async (context) => {
  if (!hasTmux) return context.skip(skipReason)
  const { terminal } = await addOnTerminal({}, 48)
  await terminal.seen(/Type this key into the app, or open the address in it:/)
  expect(await terminal.shows(/Code that the app shows now:/)).not.toMatch(/[▄▀█]/)
})
