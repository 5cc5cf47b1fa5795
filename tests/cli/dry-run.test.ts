import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newCli } from './run-cli.ts'

const right = `kind: role
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

test('admin create --dry-run of what is right: exit 0, nothing on stdout, no login, no request', async () => {
  const cli = newCli()
  writeFileSync(join(cli.home, 'roles.yaml'), right)
  for (const args of [['roles.yaml'], ['-f', 'roles.yaml'], ['--file=roles.yaml']]) {
    expect(await cli.run(['admin', 'create', '--dry-run', ...args])).toEqual({
      code: 0,
      stdout: '',
      stderr: 'roles.yaml: 1 document, nothing is wrong.\n',
    })
  }
  const { code } = await cli.run(['admin', 'create', '--dry-run', '-'], right)
  expect(code).toBe(0)
})

test('admin create --dry-run of what is wrong: exit 1, FILE:LINE: field for each problem on stdout', async () => {
  const cli = newCli()
  writeFileSync(join(cli.home, 'roles.yaml'), right.replace('db_users', 'db_user').replace('v7', 'v1'))
  const { code, stdout, stderr } = await cli.run(['admin', 'create', '--dry-run', 'roles.yaml'])
  expect(stdout).toMatch(/^roles\.yaml:2: version: .*\nroles\.yaml:9: spec\.allow\.db_user: .*\n$/)
  expect(stderr).toBe(
    'sallyport: error: Cannot create documents: roles.yaml has 2 problems\nhint: mend the lines named above\n',
  )
  expect(code).toBe(1)
})

test('admin create of what is wrong: the problems on stderr, before anybody is asked to sign in', async () => {
  const { code, stdout, stderr } = await newCli().run(['admin', 'create', '-'], 'kind: rolle\n')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^stdin:1: kind: /)
})

test('admin create of a file that is not there: exit 1', async () => {
  const { code, stderr } = await newCli().run(['admin', 'create', '--dry-run', 'gone.yaml'])
  expect(stderr).toContain('Cannot create documents: gone.yaml cannot be read (ENOENT)')
  expect(code).toBe(1)
})
