/** `sallyport-proxy explain`: transcripts. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd } from '../proxy.ts'
import { start } from './start.ts'

const text = `version: v1
edge: { url: https://edge.example.com, keys: [${'A'.repeat(43)}] }
listen: { port: 443 }
names: [proxy.example.com]
home: home
routes:
  - name: git
    sni: [git.example.com, '*.git.example.com']
    tls: passthrough
    backends: [10.0.0.5:443, 'git:443']
  - name: metrics
    sni: [metrics.example.com]
    alpn: [h2, '']
    tls: terminate
    backends: [127.0.0.1:9090]
    client_ca: staff.pem
  - name: metrics-old
    sni: [metrics.example.com]
    alpn: [http/1.1]
    tls: terminate
    backends: [127.0.0.1:9091]
`

function configOf(content = text): string {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const file = join(folder, 'proxy.yaml')
  writeFileSync(file, content)
  return file
}
/** The rules of the proxy's own names, and of those below. */
const ofOwn = '"considered":["sallyport","sallyport-services"]'
const below = '"considered":["sallyport-services","sallyport-resources","sallyport-by-name"]'

const explain = (args: readonly string[], file = configOf()) => start({}, ['explain', '--config', file, ...args])

test.each([
  [['--sni', 'GIT.example.com.'], 0, '"git","action":"passthrough","reason":"exact_name","considered":["git"]'],
  [
    ['--sni', 'x.git.example.com', '--alpn', 'h2,x'],
    0,
    '"git","action":"passthrough","reason":"wildcard_name","considered":["git"]',
  ],
  [
    ['--sni', 'metrics.example.com', '--alpn', 'x,http/1.1'],
    0,
    '"metrics-old","action":"terminate","reason":"exact_name","considered":["metrics","metrics-old"]',
  ],
  [
    ['--sni', 'metrics.example.com', '--alpn', 'x'],
    3,
    'null,"action":"refuse","reason":"application_protocol_unknown","considered":["metrics","metrics-old"]',
  ],
  [['--sni', 'y.x.git.example.com'], 3, 'null,"action":"refuse","reason":"server_name_unknown","considered":[]'],
  [['--sni', 'a..b'], 3, 'null,"action":"refuse","reason":"sni_malformed","considered":[]'],
  [['--sni', ''], 3, 'null,"action":"refuse","reason":"sni_empty","considered":[]'],
  [['--alpn', 'sallyport'], 0, `"sallyport","action":"terminate","reason":"no_name",${ofOwn}`],
  [['--sni', 'localhost'], 0, `"sallyport","action":"terminate","reason":"exact_name",${ofOwn}`],
  [
    ['--sni', 'proxy.example.com', '--alpn', 'sallyport-redis'],
    0,
    `"sallyport-services","action":"terminate","reason":"exact_name",${ofOwn}`,
  ],
  [
    ['--sni', 'redis-1.proxy.example.com', '--alpn', 'sallyport-redis'],
    0,
    `"sallyport-services","action":"terminate","reason":"wildcard_name",${below}`,
  ],
  [
    ['--sni', 'redis-1.proxy.example.com'],
    0,
    `"sallyport-by-name","action":"terminate","reason":"wildcard_name",${below}`,
  ],
  [
    ['--sni', 'wiki.proxy.example.com', '--alpn', 'h2'],
    3,
    `null,"action":"refuse","reason":"application_protocol_unknown",${below}`,
  ],
])('--format=json %j: exit %i', async (args, code, members) => {
  const ended = await explain([...args, '--format=json'])
  expect(ended).toEqual({ code, stdout: `{"route":${members}}\n`, stderr: '' })
})

test.each([
  [
    ['--sni', 'x.git.example.com', '--alpn', 'h2'],
    0,
    `route:      git
does:       all bytes pass to 10.0.0.5:443, or else git:443, where TLS ends
why:        its wildcard stands for \`x.git.example.com\`, and takes whatever is offered
considered: git
`,
  ],
  [
    ['--sni', 'metrics.example.com', '--alpn', 'x,h2'],
    0,
    `route:      metrics
does:       TLS ends here, a client certificate is demanded, and what is inside passes to 127.0.0.1:9090
why:        it names \`metrics.example.com\`, and takes \`h2\`
considered: metrics, metrics-old
`,
  ],
  [
    [],
    0,
    `route:      sallyport
does:       TLS ends here, for sessions, pages and API
why:        it is for hellos without a server name, and takes clients that offer none
considered: sallyport, sallyport-services
`,
  ],
  [
    ['--sni', 'metrics.example.com', '--alpn', 'x'],
    3,
    `route:      none
does:       the connection is refused: application_protocol_unknown
why:        no route of this name takes \`x\`; a less specific name is not asked then
considered: metrics, metrics-old
`,
  ],
  [
    ['--sni', 'other.example.com'],
    3,
    `route:      none
does:       the connection is refused: server_name_unknown
why:        no route names \`other.example.com\` or stands for it
considered: no route
`,
  ],
])('%j, for people: exit %i', async (args, code, stdout) => {
  expect(await explain(args)).toEqual({ code, stdout, stderr: '' })
})

const grant = 'TLS ends here, and a client certificate with a grant opens a session on'

test.each([
  [['redis-1.proxy.example.com', 'sallyport-redis'], `${grant} \`redis-1\`, a db of protocol redis`],
  [['web-1.proxy.example.com', 'x,sallyport-ssh'], `${grant} \`web-1\`, a node`],
  [['proxy.example.com', 'sallyport-kube'], `${grant} the one resource that the grant names, a kube_cluster`],
  [
    ['proxy.example.com', 'sallyport-tcp,sallyport-rdp'],
    `${grant} the one resource that the grant names, a windows_desktop`,
  ],
  [
    ['redis-1.proxy.example.com', ''],
    `${grant} \`redis-1\`, a db of protocol redis or mongodb: others need a protocol`,
  ],
  [['pg-1.proxy.example.com', 'postgresql'], `${grant} \`pg-1\`, a db of protocol postgres`],
  [['proxy.example.com', 'sallyport-auth'], 'TLS ends here, for the API alone'],
] as const)('%j: what the proxy itself does', async ([sni, alpn], does) => {
  const { code, stdout } = await explain(['--sni', sni, ...(alpn === '' ? [] : ['--alpn', alpn])])
  expect({ code, does: /^does: +(.*)$/m.exec(stdout)?.[1] }).toEqual({ code: 0, does })
})

test.each([
  ['sallyport-services', 'name: sallyport-services, sni: [own.test]', 'name: .*is the proxy.s own rule'],
  [
    'a name below the proxy’s',
    "name: own, sni: ['*.proxy.example.com'], alpn: [sallyport-ssh]",
    'sni.*route .sallyport-services. holds for the same hellos',
  ],
])('check tells of a route that would be one of the proxy’s own: %s', async (_, entry, why) => {
  const file = configOf(`${text}  - { ${entry}, tls: passthrough, backends: ['127.0.0.1:9'] }\n`)
  const { code, stderr } = await start({}, ['explain', '--config', file])
  expect(code).toBe(1)
  expect(stderr).toMatch(new RegExp(`proxy.yaml:22: routes\\[3\\].*${why}`))
})

test('a route for all names below the proxy’s keeps those who offer nothing', async () => {
  const file = configOf(
    `${text}  - { name: web, sni: ['*.proxy.example.com'], tls: passthrough, backends: ['127.0.0.1:9'] }\n`,
  )
  const of = async (...args: string[]) => JSON.parse((await explain([...args, '--format=json'], file)).stdout).route
  expect(await of('--sni', 'redis-1.proxy.example.com')).toBe('web')
  expect(await of('--sni', 'redis-1.localhost')).toBe('sallyport-by-name')
  expect(await of('--sni', 'redis-1.proxy.example.com', '--alpn', 'sallyport-redis')).toBe('sallyport-services')
})

test('an expression, several backends in turn, and what the service is told', async () => {
  const more = `  - name: shops
    sni_pattern: ['^shop-[0-9]+[.]example[.]com$']
    tls: passthrough
    backends: ['10.0.0.7:443', '10.0.0.8:443']
    balance: round_robin
    send_proxy: v2
`
  const file = configOf(text + more)
  expect(await explain(['--sni', 'shop-7.example.com', '--format=json'], file)).toMatchObject({
    code: 0,
    stdout: '{"route":"shops","action":"passthrough","reason":"pattern_name","considered":["shops"]}\n',
  })
  expect((await explain(['--sni', 'shop-7.example.com'], file)).stdout).toBe(`route:      shops
does:       all bytes pass to 10.0.0.7:443 and in turn 10.0.0.8:443, behind a PROXY header, where TLS ends
why:        an expression of its sni_pattern stands for \`shop-7.example.com\`, and takes whatever is offered
considered: shops
`)
  expect((await explain(['--sni', 'shop-x.example.com'], file)).code).toBe(3)
})

test.each(['check', 'explain'])('%s tells what is wrong in the file, by line', async (verb) => {
  const file = configOf(text.replace('git.example.com, ', 'proxy.example.com, ').replace('9091', '443'))
  const { code, stdout, stderr } = await start({}, [verb, '--config', file])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(
    new RegExp(
      `^sallyport: error: Cannot (start|explain): ${file}:8: routes\\[0\\]\\.sni\\[0\\]: .*\n` +
        `${file}:21: routes\\[2\\]\\.backends\\[0\\]: .*\nhint: mend what is named`,
    ),
  )
})

test.each([
  ['cert: git.pem, key: git.key', 'git.pem'],
  ['client_ca: staff.pem', 'staff.pem'],
])('check reads what a route names: %s', async (more, name) => {
  const route = `{ name: own, sni: [own.test], tls: terminate, backends: ['127.0.0.1:9'], ${more} }`
  const file = configOf(`${text.replace('    client_ca: staff.pem\n', '')}  - ${route}\n`)
  const { code, stderr } = await start({}, ['check', '--config', file])
  expect(code).toBe(1)
  expect(stderr).toMatch(new RegExp(`^sallyport: error: Cannot start: .*${name} cannot be read \\(ENOENT`))
})

test('a file that is not there', async () => {
  const { code, stderr } = await explain([], '/nowhere/proxy.yaml')
  expect(code).toBe(1)
  expect(stderr).toMatch(/^sallyport: error: Cannot explain: \/nowhere\/proxy\.yaml cannot be read \(ENOENT.*\nhint: /)
})

test.each([[[]], [['--config', 'x', '--format=yaml']], [['--config', 'x', 'y']], [['--config', 'x', '--jsonl']]])(
  'explain %j: the usage, exit 2',
  async (args) => {
    const { code, stdout, stderr } = await start({}, ['explain', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: /)
  },
)

test('a route whose TLS ends here never sees the hellos of certificate authorities; a passthrough does', async () => {
  const file = configOf(text.replace("    alpn: [h2, '']\n", '').replace(/ {2}- name: metrics-old\n(?: {4}.*\n)+/, ''))
  const of = async (sni: string) =>
    (await explain(['--sni', sni, '--alpn', 'acme-tls/1', '--format=json'], file)).stdout
  expect(JSON.parse(await of('metrics.example.com'))).toMatchObject({ action: 'refuse', considered: ['metrics'] })
  expect(JSON.parse(await of('git.example.com'))).toMatchObject({ route: 'git', action: 'passthrough' })
})
