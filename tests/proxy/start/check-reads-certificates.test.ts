/** `sallyport-proxy check`: each mistake in a certificate is told at the line that names its file. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { issue, newCa } from '../../cli/certificates.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd } from '../proxy.ts'
import { start } from './start.ts'

const ca = await newCa()
const text = `version: v1
edge: { url: https://edge.example.com, keys: [${'A'.repeat(43)}] }
listen: { port: 443 }
names: [proxy.example.com]
cert: a.pem
key: a.key
certificates:
  - { cert: b.pem, key: b.key }
  - { cert: c.pem, key: c.key }
home: home
routes:
  - name: app
    sni: [app.example.com]
    tls: terminate
    backends: [10.0.0.5:80]
  - name: own
    sni: [own.example.com]
    tls: terminate
    backends: [10.0.0.5:80]
    cert: o.pem
    key: o.key
    client_ca: staff.pem
`

type Wish = Parameters<typeof issue>[1]

async function checked(
  change: Readonly<Record<string, Wish>> = {},
  edit: (folder: string) => void = () => undefined,
  content = text,
) {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const wishes: Readonly<Record<string, Wish>> = {
    a: { names: ['proxy.example.com'] },
    b: { names: ['*.example.com'] },
    c: { names: ['other.example.net'] },
    o: { names: [] },
    ...change,
  }
  for (const [name, wish] of Object.entries(wishes)) {
    const { pem, key } = await issue(name, { by: ca, ...wish })
    writeFileSync(join(folder, `${name}.pem`), pem)
    writeFileSync(join(folder, `${name}.key`), key)
  }
  writeFileSync(join(folder, 'staff.pem'), ca.pem)
  const file = join(folder, 'proxy.yaml')
  writeFileSync(file, content)
  edit(folder)
  const { code, stdout, stderr } = await start({}, ['check', '--config', file])
  return { code, said: (stdout + stderr).replaceAll(`${folder}/`, '') }
}

const lines = (said: string) =>
  said
    .split('\n')
    .slice(0, -2)
    .map((line) => line.replace('sallyport: error: Cannot start: ', ''))

test('nothing is wrong', async () => {
  expect(await checked()).toEqual({ code: 0, said: 'proxy.example.com: nothing is wrong with it\n' })
})

test('all at once: another key, an expired one, a name twice, a file that is missing, an authority that is none', async () => {
  const day = 86_400_000
  const { code, said } = await checked({ o: { from: -3, until: -1 } }, (folder) => {
    writeFileSync(join(folder, 'staff.pem'), 'x')
    writeFileSync(join(folder, 'b.key'), '')
    writeFileSync(join(folder, 'c.pem'), '')
  })
  expect(code).toBe(1)
  expect(lines(said)).toEqual([
    expect.stringMatching(/^proxy\.yaml:8: certificates\[0\]: b\.key holds no private key: it must be PEM/),
    expect.stringMatching(/^proxy\.yaml:9: certificates\[1\]: c\.pem holds no certificate: /),
    expect.stringMatching(/^proxy\.yaml:20: routes\[1\]\.cert: o\.pem has expired on \d{4}-/),
    expect.stringMatching(/^proxy\.yaml:22: routes\[1\]\.client_ca: staff\.pem holds no certificate/),
  ])
  expect(said).toContain(new Date(Date.now() - day).toISOString().slice(0, 10))
})

test('a key of another certificate', async () => {
  const other = await issue('other', {})
  const { said } = await checked({}, (folder) => writeFileSync(join(folder, 'a.key'), other.key))
  expect(lines(said)).toEqual([
    'proxy.yaml:5: cert: a.key is not the key of a.pem: name two files that belong together',
  ])
})

test('two for one name', async () => {
  const { said } = await checked({ c: { names: ['*.example.com'] } })
  expect(lines(said)).toEqual([
    expect.stringMatching(
      /^proxy\.yaml:9: certificates\[1\]: certificates\[1\] speaks for \*\.example\.com .* certificates\[0\] \(ec\)/,
    ),
  ])
})

test('names that no certificate speaks for, of the proxy and of a route that shows its certificates', async () => {
  const wishes = { a: { names: ['x.example.net'] }, b: { names: ['*.proxy.example.com'] } }
  const { said } = await checked(wishes)
  expect(lines(said)).toEqual([
    'proxy.yaml:4: names: no certificate speaks for `proxy.example.com`',
    'proxy.yaml:13: routes[0].sni[0]: no certificate speaks for `app.example.com`',
  ])
  const acme = `acme: { directory: 'https://ca.example/d', names: [proxy.example.com, app.example.com], agree_tos: true }\n`
  expect((await checked(wishes, () => undefined, text + acme)).code).toBe(0)
})

test('the authorities of an ACME directory', async () => {
  const acme = `acme: { directory: 'https://ca.example/d', names: [app.example.com], ca_file: none.pem, agree_tos: true }\n`
  const { said } = await checked({}, () => undefined, text + acme)
  expect(lines(said)).toEqual([expect.stringMatching(/^proxy\.yaml:23: acme\.ca_file: none\.pem cannot be read/)])
})
