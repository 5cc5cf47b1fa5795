import { writeFileSync } from 'node:fs'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { HostRule } from '../../core/access/host-rule.ts'
import { newCa, newLeaf } from './certificates.ts'
import { newSessionProxy } from './db/session-proxy.ts'
import { dial, echo } from './db/wire.ts'
import { curl, listening, startProxyHttp } from './forward-proxy.ts'
import { newCli } from './run-cli.ts'
import { answerIn, signedIn } from './tls-edge.ts'

const hosts: readonly HostRule[] = [
  { name: '*.example.com', ports: [443, '8000-8080'] },
  { name: 'git.internal', ports: [22], networks: ['10.0.0.0/8', 'public'] },
  { name: '10.0.0.0/8', ports: [80] },
  { name: '2600::5', ports: [443] },
]

test('ls shows the rules, as a table and as data', async () => {
  const cli = await signedIn((await newSessionProxy({ hosts })).front)
  const { stdout } = await cli.run(['ls'])
  expect(stdout.split('\n').filter((line) => line.includes(' host '))).toEqual([
    expect.stringMatching(/^\*\.example\.com:443,8000-8080 +host +no *$/),
    expect.stringMatching(/^git\.internal:22 +host +no +at 10\.0\.0\.0\/8, public$/),
    expect.stringMatching(/^10\.0\.0\.0\/8:80 +host +no *$/),
    expect.stringMatching(/^\[2600::5\]:443 +host +no *$/),
  ])
  const all = JSON.parse((await cli.run(['ls', '--format=json'])).stdout) as readonly { readonly kind: string }[]
  expect(all.filter(({ kind }) => kind === 'host')[1]).toEqual({
    ...{ kind: 'host', name: 'git.internal', ports: ['22'] },
    ...{ networks: ['10.0.0.0/8', 'public'], role: 'reader', tap: false },
  })
})

test('why says by which rule of which role, where the host may lie, and what is missing', async () => {
  const cli = await signedIn((await newSessionProxy({ hosts })).front)
  const allowed = await cli.run(['why', 'host:GIT.internal.:22'])
  expect(allowed.stdout).toMatch(/^host: +git\.internal:22$/m)
  expect(allowed.stdout).toMatch(/^answer: +allowed$/m)
  expect(allowed.stdout).toMatch(/^rule: +reader: allows by allow\.hosts\[1\] \(git\.internal:22\)$/m)
  expect(allowed.stdout).toMatch(/^session: .*at 10\.0\.0\.0\/8 and public addresses$/m)
  expect(allowed.stdout).toMatch(/^ {2}sallyport proxy tcp git\.internal:22$/m)
  const port = await cli.run(['why', 'host:git.internal:443'])
  expect(port.stdout).toMatch(/^answer: +refused: not allowed$/m)
  expect(port.stdout).toMatch(/^rule: +reader: allow\.hosts\[1\] names it, and not port 443$/m)
  const none = await cli.run(['why', 'host:nobody.example:443'])
  expect(none.stdout).toMatch(/^rule: +reader: allow\.hosts does not match$/m)
  expect(none.stdout).toContain('Ask an administrator for a role that reaches it.')
  expect(await cli.run(['why', 'host:git.internal'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('git.internal is no host'),
  })
}, 60_000)

test('proxy tcp HOST:PORT: bytes pass by a fixed port, after a tap that names host and port', async () => {
  const proxy = await newSessionProxy({ hosts, tap: true, port: await echo() })
  const cli = await signedIn(proxy.front)
  const running = cli.start(['proxy', 'tcp', '--no-browser', 'Git.Example.COM:443', 'host/[2600:0::5]:443'])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+) for host\/git\.example\.com:443$/m)
  const wire = dial(Number(port))
  wire.send('hello\r\n')
  await running.seen(/^To open git\.example\.com:443 once, \[2600::5\]:443 once, open this page/m)
  await answerIn(running, proxy.front.person)
  await wire.until(/^hello\r\n$/)
  expect(proxy).toMatchObject({ faults: [], sessions: ['host/git.example.com:443*'] })
}, 60_000)

test('proxy tcp HOST:PORT that no role names: the connection is reset, and why stands in the terminal', async () => {
  const proxy = await newSessionProxy({ hosts, port: await echo() })
  const cli = await signedIn(proxy.front)
  const running = cli.start(['proxy', 'tcp', '--no-browser', 'git.example.com:22'])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
  const wire = dial(Number(port))
  wire.send('hello')
  expect(await wire.ended).toBe('reset')
  expect(running.stderr()).toContain('No role of yours allows git.example.com:22.')
  expect(proxy.sessions).toEqual([])
}, 60_000)

const said: RequestListener = (asked, reply) => void reply.end(`${asked.headers.host} ${asked.url}`)

test('proxy http: curl reaches what roles name, by CONNECT and by http://, and nothing else', async () => {
  const proxy = await newSessionProxy({ hosts, port: await listening(createHttp(said)) })
  const { at } = await startProxyHttp(proxy)
  expect(await curl(at, 'http://Git.Example.com:8000/a')).toMatchObject({
    body: 'git.example.com:8000 /a',
    status: '200 000',
  })
  expect(await curl(at, '--proxytunnel', 'http://git.example.com:8001/b')).toMatchObject({ status: '200 200' })
  expect((await curl(at, 'http://git.example.com:9/')).status).toBe('403 000')
  expect((await curl(at, 'https://git.example.net/')).status).toBe('000 403')
  expect((await curl(at, 'https://git.internal/')).status).toBe('000 403')
  expect(proxy).toMatchObject({
    faults: [],
    sessions: ['host/git.example.com:8000', 'host/git.example.com:8001'],
  })
}, 60_000)

test('proxy http HOST:PORT: that one alone, with TLS from end to end and one tap for as often as it says', async () => {
  const ca = await newCa()
  const leaf = await newLeaf(ca, { names: ['git.example.com'] })
  const server = createHttps({ cert: leaf.pem, key: leaf.key }, said)
  const proxy = await newSessionProxy({ hosts, tap: true, port: await listening(server) })
  const { running, at } = await startProxyHttp(proxy, 'git.example.com:443', '--count=2')
  const file = join(newCli().home, 'host-ca.pem')
  writeFileSync(file, ca.pem)
  const first = curl(at, '--cacert', file, 'https://git.example.com/one')
  await answerIn(running, proxy.front.person)
  expect(await first).toMatchObject({ body: 'git.example.com /one', status: '200 200' })
  expect(await curl(at, '--cacert', file, 'https://git.example.com/two')).toMatchObject({ status: '200 200' })
  expect((await curl(at, 'https://www.example.com/')).status).toBe('000 403')
  const sessions = ['host/git.example.com:443*', 'host/git.example.com:443*']
  expect(proxy).toMatchObject({ faults: [], sessions })
}, 60_000)

test('a browser’s proxy.pac sends what rules name, on their ports, and no other', async () => {
  const proxy = await newSessionProxy({ hosts: [...hosts, { name: '*', ports: [1] }] })
  const { at } = await startProxyHttp(proxy)
  const source = await (await fetch(`${at}/proxy.pac`)).text()
  const find = runInNewContext(`${source}; FindProxyForURL`) as (url: string, host: string) => string
  const leads = (url: string) => find(url, new URL(url).hostname.replace(/^\[|\]$/g, '')) !== 'DIRECT'
  for (const url of [
    'https://git.example.com/',
    'wss://git.example.com/',
    'https://a.b.example.com:8080/x',
    'http://git.internal:22/',
    'https://[2600::5]/',
    'http://wiki/',
  ])
    expect(leads(url), url).toBe(true)
  for (const url of [
    'http://git.example.com/',
    'https://example.com/',
    'https://evilexample.com/',
    'https://git.example.com:8081/',
    'https://git.example.com.evil.net/',
    'https://whatever.net:1/',
    'https://u:git.example.com@evil.net/',
  ])
    expect(leads(url), url).toBe(false)
})
