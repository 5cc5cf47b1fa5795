/** Users as documents, as people write them: create, get, edit, rm, and the same file back. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newCli } from './run-cli.ts'
import { newFront, signedIn } from './tls-edge.ts'

const file = `kind: user
version: v2
metadata:
  name: Dora
spec:
  roles:
    - dev
    - access
  traits:
    logins: [dora, deploy]
---
kind: role
version: v7
metadata: { name: dev }
spec: { allow: { node_labels: { env: dev }, logins: ['{{internal.logins}}'] } }
`

const printed = `kind: user
version: v2
metadata:
  name: Dora
spec:
  roles:
    - access
    - dev
  traits:
    logins:
      - dora
      - deploy
`

async function newAdmin() {
  const front = await newFront()
  return { front, cli: await signedIn(front) }
}

test('create makes a user who has nothing to sign in with, and says how to let him in; get prints him', async () => {
  const { front, cli } = await newAdmin()
  const created = await cli.run(['admin', 'create', '-'], file)
  expect(created.stdout).toBe('KIND  NAME  OUTCOME\nuser  Dora  created\nrole  dev   created\n')
  expect(created.stderr).toContain('For a link that lets somebody in:\n  sallyport admin users reset Dora\n')
  expect(
    front.edge.rows("select id from credentials where user_id in (select id from users where name = 'Dora')"),
  ).toEqual([])
  for (const name of ['user/Dora', 'user/dora', 'users/DORA'])
    expect((await cli.run(['admin', 'get', name])).stdout).toBe(printed)
  const json = await cli.run(['admin', 'get', 'users', '--format=json'])
  expect(JSON.parse(json.stdout).map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual([
    'Ada',
    'Dora',
  ])
  const text = (await cli.run(['admin', 'get', 'users', '--format=text'])).stdout
  expect(text).toMatch(
    /^NAME {2}KIND {2}WHAT IT SAYS\nAda {3}user {2}roles access,auditor,editor\nDora {2}user {2}roles access,dev; logins dora,deploy\n$/,
  )
  expect((await cli.run(['admin', 'get', 'user/gone'])).stderr).toContain('there is no user gone')
  const link = await cli.run(['admin', 'users', 'reset', 'Dora'])
  expect([link.code, link.stdout]).toEqual([0, expect.stringMatching(/^http:\/\/localhost:3080\/\S+#\S+\n$/)])
})

test('an existing one wants --force, and what get prints changes nothing, by any format, with all kinds in one file', async () => {
  const { front, cli } = await newAdmin()
  await cli.run(['admin', 'create', '-'], file)
  const again = await cli.run(['admin', 'create', '-'], file)
  expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/user\/Dora is there already[\s\S]*--force\n$/)])
  const before = front.edge.rows('select * from users, user_roles')
  for (const format of ['yaml', 'json']) {
    const { stdout } = await cli.run(['admin', 'get', 'all', `--format=${format}`])
    const back = await cli.run(['admin', 'create', '--force', '-', '--format=json'], stdout)
    expect(JSON.parse(back.stdout)).toEqual(
      [
        ['role', 'dev'],
        ['user', 'Ada'],
        ['user', 'Dora'],
      ].map(([kind, name]) => expect.objectContaining({ kind, name, outcome: 'unchanged' })),
    )
  }
  expect(front.edge.rows('select * from users, user_roles')).toEqual(before)
  const less = await cli.run(['admin', 'create', '--diff', '--force', '-'], file.replace('    - dev\n', ''))
  expect(less.stdout).toContain('@ Replaced: user/Dora\n')
  expect(less.stdout).toMatch(/\n- {5}- dev\n/)
  expect((await cli.run(['admin', 'create', '--force', '-'], file.replace('    - dev\n', ''))).code).toBe(0)
  expect((await cli.run(['admin', 'get', 'user/Dora'])).stdout).toBe(printed.replace('    - dev\n', ''))
})

test('a name with spaces is quoted for the shell', async () => {
  const { cli } = await newAdmin()
  const { stderr } = await cli.run(
    ['admin', 'create', '-'],
    printed.replace('Dora', "Dora O'Neil").replace('    - dev\n', ''),
  )
  expect(stderr).toContain("  sallyport admin users reset 'Dora O'\\''Neil'\n")
})

test('what cannot be is told: a role that is not there, one’s own roles', async () => {
  const { cli } = await newAdmin()
  const gone = await cli.run(['admin', 'create', '-'], printed)
  expect([gone.code, gone.stderr]).toEqual([
    1,
    expect.stringContaining('There is no role "dev", which Dora is to hold.'),
  ])
  const own = (await cli.run(['admin', 'get', 'user/Ada'])).stdout.replace('    - auditor\n', '')
  const refused = await cli.run(['admin', 'create', '--force', '-'], own)
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('Nobody changes roles or traits of his own'),
  ])
})

/** Saves what the script makes of the file $1. */
async function edit(cli: Awaited<ReturnType<typeof signedIn>>, script: string, name: string) {
  const program = join(cli.home, 'editor.sh')
  writeFileSync(program, `#!/bin/sh\nprintf '%s' "$1" > ${cli.home}/edited\n${script}\n`)
  chmodSync(program, 0o700)
  Object.assign(cli.env, { EDITOR: program, TMPDIR: cli.home })
  return cli.run(['admin', 'edit', name])
}

test('edit stores what is saved; who changed the user meanwhile is not overwritten, and the file is kept', async () => {
  const { cli } = await newAdmin()
  await cli.run(['admin', 'create', '-'], file)
  expect(await edit(cli, `sed -i 's/deploy/admin/' "$1"`, 'user/dora')).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/@ Replaced: user\/Dora\n[\s\S]*\nuser Dora is changed\.\n$/),
  })
  expect((await cli.run(['admin', 'get', 'user/Dora'])).stdout).toBe(printed.replace('deploy', 'admin'))
  expect((await edit(cli, 'true', 'user/Dora')).stderr).toBe('Nothing was changed.\n')

  const [opened, done] = [join(cli.home, 'opened'), join(cli.home, 'done')]
  const waiting = `sed -i 's/admin/second/' "$1"\ntouch ${opened}\nwhile [ ! -e ${done} ]; do sleep 0.1; done`
  const editing = edit(cli, waiting, 'user/Dora')
  await expect.poll(() => existsSync(opened), { timeout: 20_000 }).toBe(true)
  expect((await cli.run(['admin', 'create', '--force', '-'], printed.replace('deploy', 'first'))).code).toBe(0)
  writeFileSync(done, '')
  const { code, stderr } = await editing
  expect([code, stderr]).toEqual([1, expect.stringContaining('document changed')])
  const kept = readFileSync(join(cli.home, 'edited'), 'utf8')
  expect(readFileSync(kept, 'utf8')).toContain('second')
  expect((await cli.run(['admin', 'get', 'user/Dora'])).stdout).toContain('first')
})

test('rm user/NAME is users rm', async () => {
  const { front, cli } = await newAdmin()
  await cli.run(['admin', 'create', '-'], file)
  expect((await cli.run(['admin', 'rm', 'user/Ada', '--yes'])).stderr).toContain('own account')
  expect((await cli.run(['admin', 'rm', 'user/gone', '--yes'])).stderr).toContain('user unknown')
  const removed = await cli.run(['admin', 'rm', 'user/dora', '--yes'])
  expect([removed.code, removed.stderr]).toEqual([0, expect.stringMatching(/\nThe user dora is removed\.\n$/)])
  expect((await cli.run(['admin', 'get', 'user/Dora'])).code).toBe(1)
  expect(front.edge.rows("select detail from audit where kind = 'user.remove' and outcome = 'done'")).toHaveLength(1)
})

test('--dry-run reads users offline, and names file, line and field of what is wrong', async () => {
  const cli = newCli()
  expect(await cli.run(['admin', 'create', '--dry-run', '-'], file)).toEqual({
    ...{ code: 0, stdout: '', stderr: '-: 2 documents, nothing is wrong.\n' },
  })
  const exported = `${printed}  status: { is_locked: false }\n  created_by: { user: { name: x } }\n`.replace(
    '- dev',
    '- Dev',
  )
  const { code, stdout } = await cli.run(['admin', 'create', '--dry-run', '-'], exported)
  expect([code, stdout]).toEqual([
    1,
    [
      'stdin:8: spec.roles[1]: `Dev`: expected the name of a role\n',
      'stdin:13: spec.status: user has no field `status`: not supported in this version\n',
      'stdin:14: spec.created_by: user has no field `created_by`: not supported in this version\n',
    ].join(''),
  ])
})
