/** admin edit, as people do it: an editor, a file, and what becomes of it. */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { newFront, signedIn } from './tls-edge.ts'

type Cli = Awaited<ReturnType<typeof signedIn>>

/** An editor that runs this shell script with the file as $1, and notes the file's name. */
function editorOf(cli: Cli, script: string): string {
  const program = join(cli.home, 'editor.sh')
  writeFileSync(program, `#!/bin/sh\nprintf '%s' "$1" > ${cli.home}/edited\n${script}\n`)
  chmodSync(program, 0o700)
  return program
}

const editedFile = (cli: Cli) => readFileSync(join(cli.home, 'edited'), 'utf8')

async function edit(cli: Cli, script: string, ...args: string[]) {
  Object.assign(cli.env, { EDITOR: editorOf(cli, script), TMPDIR: cli.home })
  return cli.run(['admin', 'edit', ...args])
}

const newCli = async () => {
  const front = await newFront()
  return { front, cli: await signedIn(front) }
}

const say = (from: string, to: string) => `sed -i 's/${from}/${to}/' "$1"`

test('admin edit cap: begins with the defaults, stores what is saved, and leaves no file', async () => {
  const { cli } = await newCli()
  const before = await cli.run(['admin', 'get', 'cap'])
  expect(before.stdout).toContain('kind: cluster_auth_preference\n')
  expect(await edit(cli, say('12h', '4h'), 'cap')).toEqual({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(/^This changes:\n[\s\S]*\ncluster_auth_preference is changed\.\n$/),
  })
  expect(existsSync(dirname(editedFile(cli)))).toBe(false)
  const after = await cli.run(['admin', 'get', 'cap'])
  expect(after.stdout).toBe(before.stdout.replace('12h', '4h'))
  // And once more, from what is there now.
  expect((await edit(cli, say('4h', '5h'), 'cap')).code).toBe(0)
  expect((await cli.run(['admin', 'get', 'all'])).stdout).toContain(before.stdout.replace('12h', '5h'))
  expect((await cli.run(['admin', 'get', 'cap', '--format=text'])).stdout).toContain(
    'passkeys alone; logins of 5h at most',
  )
  const rm = await cli.run(['admin', 'rm', 'cap', '--yes'])
  expect(rm).toEqual({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(/\nThe cluster_auth_preference is removed: the defaults hold again\.\n$/),
  })
  expect((await cli.run(['admin', 'get', 'cap'])).stdout).toBe(before.stdout)
  expect((await cli.run(['admin', 'get', 'all'])).stdout).not.toContain('cluster_auth_preference')
  expect((await cli.run(['admin', 'get', 'locks'])).stderr).toBe('There is none.\n')
})

test('the file is private, in a folder that nobody else may enter', async () => {
  const { cli } = await newCli()
  await edit(cli, 'exit 1', 'cap')
  const file = editedFile(cli)
  expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700])
})

test('nothing saved: says so and asks the edge for nothing', async () => {
  const { front, cli } = await newCli()
  expect(await edit(cli, 'true', 'cap')).toEqual({ code: 0, stdout: '', stderr: 'Nothing was changed.\n' })
  expect(existsSync(editedFile(cli))).toBe(false)
  expect(front.received.filter(({ path, body }) => path === '/v1/documents' && body !== '')).toEqual([])
})

test('what is wrong is told by line, and the file is kept with how to go on', async () => {
  const { cli } = await newCli()
  const { code, stderr } = await edit(cli, say('second_factor', 'second_factr'), 'cap')
  const file = editedFile(cli)
  expect(code).toBe(1)
  expect(stderr).toContain(`${file}:7: spec.second_factr: cluster_auth_preference has no field`)
  expect(stderr).toContain(`What you wrote is kept in ${file}\n`)
  expect(stderr).toContain(`  sallyport admin create --force ${file}\n`)
  expect(readFileSync(file, 'utf8')).toContain('second_factr')
})

test('of two who edit at once the second is told, and loses nothing', async () => {
  const { cli } = await newCli()
  const first = join(cli.home, 'first.yaml')
  writeFileSync(first, 'kind: cluster_auth_preference\nversion: v2\nspec: { default_session_ttl: 1h }\n')
  const [opened, done] = [join(cli.home, 'opened'), join(cli.home, 'done')]
  const script = `${say('12h', '4h')}\ntouch ${opened}\nwhile [ ! -e ${done} ]; do sleep 0.1; done`
  const editing = edit(cli, script, 'cap')
  await expect.poll(() => existsSync(opened), { timeout: 20_000 }).toBe(true)
  expect((await cli.run(['admin', 'create', first])).code).toBe(0)
  writeFileSync(done, '')
  const { code, stderr } = await editing
  expect({ code, told: stderr.includes('document changed') }).toEqual({ code: 1, told: true })
  expect(readFileSync(editedFile(cli), 'utf8')).toContain('4h')
  expect((await cli.run(['admin', 'get', 'cap'])).stdout).toContain('default_session_ttl: 1h')
})

test('admin edit of a role: by its name; another name in the file is refused, and what is not there', async () => {
  const { cli } = await newCli()
  writeFileSync(join(cli.home, 'role.yaml'), 'kind: role\nversion: v7\nmetadata: { name: dev }\nspec: {}\n')
  expect((await cli.run(['admin', 'create', 'role.yaml'])).code).toBe(0)
  expect(await edit(cli, say('options: {}', 'options: { max_session_ttl: 1h }'), 'role/dev')).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(
      /^This changes:\n@ Replaced: role\/dev\n[\s\S]*\+ {5}max_session_ttl: 1h\n[\s\S]*role dev is changed\.\n$/,
    ),
  })
  expect((await cli.run(['admin', 'get', 'role/dev'])).stdout).toContain('max_session_ttl: 1h')
  const renamed = await edit(cli, say('name: dev', 'name: other'), 'role/dev')
  expect(renamed).toMatchObject({ code: 1 })
  expect(renamed.stderr).toContain('the file holds another document, or several')
  expect((await edit(cli, 'true', 'role/gone')).stderr).toContain('Cannot edit the document: there is no role gone')
  expect((await edit(cli, 'true', 'role/editor')).stderr).toContain('role editor is built in')
})

test('an editor that is missing, fails or is not set', async () => {
  const { cli } = await newCli()
  expect((await edit(cli, 'exit 7', 'cap')).stderr).toMatch(
    /the editor ".*editor.sh" ended with 7\nhint: .*is in \/\S+/,
  )
  Object.assign(cli.env, { EDITOR: '/no/such/editor' })
  expect(await cli.run(['admin', 'edit', 'cap'])).toMatchObject({ code: 1 })
  Object.assign(cli.env, { EDITOR: '' })
  const { code, stderr } = await cli.run(['admin', 'edit', 'cap'])
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      'sallyport: error: Cannot edit the document: no editor is set\nhint: set VISUAL or EDITOR, such as EDITOR=nano\n',
  })
})

test('VISUAL comes before EDITOR, and may hold options', async () => {
  const { cli } = await newCli()
  Object.assign(cli.env, { VISUAL: `sed -i s/12h/3h/` })
  expect((await edit(cli, 'exit 7', 'cap')).code).toBe(0)
  expect((await cli.run(['admin', 'get', 'cap'])).stdout).toContain('3h')
})

test('a new rp_id: whose passkeys stop working is told, by name and number, before anything changes', async () => {
  const { cli } = await newCli()
  writeFileSync(
    join(cli.home, 'cap.yaml'),
    'kind: cluster_auth_preference\nversion: v2\nspec: { webauthn: { rp_id: example.com } }\n',
  )
  const { code, stderr } = await cli.run(['admin', 'create', 'cap.yaml'])
  expect({ code, stderr }).toMatchObject({ code: 1 })
  expect(stderr).toContain('No browser on http://localhost:3080 takes example.com.')
})

test('whose passkeys have stopped working, and who is shut out, is said after create, edit and rm, each with --force', async () => {
  const { front, cli } = await newCli()
  const lost = [
    { user: 'Ada', passkeys: 2 },
    { user: 'Bob', passkeys: 1 },
  ]
  const taken = { lost, shut_out: ['Bob', 'Carol'] }
  const cap = { kind: 'cluster_auth_preference', name: 'cluster-auth-preference' }
  front.interfere = (method, path) => {
    if (path === '/v1/taps') return { json: { tap: false } }
    if (method === 'POST' && path === '/v1/documents')
      return { json: { documents: [{ ...cap, revision: 'r', outcome: 'replaced' }], ...taken } }
    return method === 'DELETE' ? { json: { ...cap, ...taken } } : undefined
  }
  const said =
    'These passkeys have stopped working: Ada (2), Bob (1).\n2 people cannot sign in any more: Bob, Carol.\nTo let somebody in again: sallyport admin users reset NAME\n'
  writeFileSync(join(cli.home, 'cap.yaml'), 'kind: cluster_auth_preference\nversion: v2\nspec: {}\n')
  expect((await cli.run(['admin', 'create', '--force', 'cap.yaml'])).stderr).toContain(said)
  expect((await edit(cli, say('12h', '4h'), 'cap', '--force')).stderr).toContain(said)
  expect((await cli.run(['admin', 'rm', 'cap', '--yes', '--force'])).stderr).toContain(said)
  const asked = front.received.filter(({ path, body }) => path.startsWith('/v1/documents') && body !== '')
  expect(asked.map(({ body }) => (JSON.parse(body) as { force: boolean }).force)).toEqual([true, true])
  expect(front.received.at(-1)?.path).toMatch(/\?force=true$/)
})

test.each(['cap/other', 'caps/', 'cap/'])('admin get %s: no such thing', async (name) => {
  const { cli } = await newCli()
  expect((await cli.run(['admin', 'get', name])).code).toBe(2)
})
