/** `databases` of proxy.yaml, and routes for Postgres: what they say, and what is refused in them by name and line. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readConfigFile } from '../../proxy/config-file.ts'
import { credentialFor } from '../../proxy/database-credentials.ts'
import { newFolder, remove } from '../runtime/launch.ts'

const folder = newFolder()
afterAll(() => remove(folder))
const fileOf = (name: string, content: string, mode = 0o600) => {
  writeFileSync(join(folder, name), content)
  chmodSync(join(folder, name), mode)
}
fileOf('right', 'correct horse\n')
fileOf('open', 'correct horse\n', 0o644)
fileOf('empty', '')
fileOf('two', 'one\ntwo\n')
fileOf('umlaut', 'käse\n')

const head = `version: v1
edge: { url: https://edge.example.com, public_url: https://access.example.com, keys: [${'A'.repeat(43)}] }
listen: { port: 443 }
names: [proxy.example.com]
home: home
`
const read = (text: string) => readConfigFile(join(folder, 'proxy.yaml'), head + text)

test('a credential for some users goes before the one for all', async () => {
  fileOf('other', 'battery staple')
  const { databases } = read(`databases:
  - { resource: pg-1, users: '*', password_file: right }
  - { resource: pg-1, users: [app], password_file: other }
`)
  const passwordOf = async (resource: string, user: string) =>
    (await credentialFor(databases, resource, user, Date.now))?.password
  expect(await passwordOf('pg-1', 'app')).toBe('battery staple')
  expect(await passwordOf('pg-1', 'reader')).toBe('correct horse')
  expect(await passwordOf('pg-2', 'app')).toBeUndefined()
})

test.each([
  ['no credential', `  - resource: pg-1\n    users: [app]`, 7, 'expected a password_file, or cert and key'],
  ['half a certificate', `  - resource: pg-1\n    users: [app]\n    cert: a`, 7, 'cert and key belong together'],
  ['no users', `  - resource: pg-1\n    users: []\n    password_file: right`, 8, 'expected at least one'],
  [
    'a user twice',
    `  - { resource: a, users: [b], password_file: right }\n  - resource: a\n    users: [b]\n    password_file: right`,
    9,
    'stands in another entry',
  ],
  [
    'a file that is not there',
    `  - resource: a\n    users: [b]\n    password_file: gone`,
    9,
    'cannot be read (ENOENT)',
  ],
  ['a file that others can read', `  - resource: a\n    users: [b]\n    password_file: open`, 9, 'chmod 600'],
  ['an empty file', `  - resource: a\n    users: [b]\n    password_file: empty`, 9, 'holds no password'],
  ['two lines', `  - resource: a\n    users: [b]\n    password_file: two`, 9, 'holds no password'],
  ['a password with two spellings', `  - resource: a\n    users: [b]\n    password_file: umlaut`, 9, 'printable ASCII'],
  ['a field that is none', `  - resource: a\n    users: [b]\n    password: x`, 9, 'no field `password`'],
])('%s is refused by its line', (_, text, line, why) => {
  expect(() => read(`databases:\n${text}\n`)).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(new RegExp(`:${line}: .*${why.replace(/[()`]/g, '\\$&')}`, 's')),
    }),
  )
})

const route = (more: string) =>
  `routes:\n  - name: pg\n    sni: [pg.example.com]\n    backends: ['10.0.0.5:5432']\n    protocol: postgres\n${more}`

test('a route for Postgres is passed through', () => {
  expect(read(route('    tls: passthrough\n')).routes).toMatchObject([{ name: 'pg', protocol: 'postgres' }])
  expect(() => read(route('    tls: terminate\n'))).toThrow(/:10: .*passed through alone/)
})

test('a route that takes the place of the cluster’s databases is refused', () => {
  const text = `routes:\n  - name: pg\n    sni: ['*.proxy.example.com']\n    alpn: [postgresql]\n    tls: passthrough\n    backends: ['10.0.0.5:5432']\n`
  expect(() => read(text)).toThrow(/holds for the same hellos/)
})
