/** Forward-proxy clients as people run them, over TLS to the proxy: curl of Debian 12, git. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { newCa, newLeaf } from '../../cli/certificates.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { missing, run } from '../front/front.ts'
import { atEnd, until } from '../proxy.ts'
import { filesOf } from '../routes/routes.ts'
import { put, samples, sha } from '../sessions/kinds.ts'
import { eventsOf } from '../sessions/world.ts'
import { type WordWorld, wordOf, wordWorld } from './words.ts'

type Answering = (request: IncomingMessage, response: ServerResponse) => void

async function webBehind(world: WordWorld, answering: Answering, tls?: { cert: string; key: string }): Promise<void> {
  const server = tls ? createTlsServer(tls, answering) : createServer(answering)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  atEnd(() => new Promise<void>((done) => void server.close(() => done()).closeAllConnections()))
  await put(world, samples.app.document(`127.0.0.1:${(server.address() as { port: number }).port}`))
  await world.proxy.serving.trust.ask()
}

const curlArgs = (world: WordWorld, word: string) => [
  ...['--silent', '--show-error', '--noproxy', '', '--max-time', '20'],
  ...['--proxy', `https://localhost:${world.proxy.port}`, '--proxy-cacert', filesOf({ ca: world.proxy.ca }).ca],
  ...['--proxy-user', `any:${word}`],
]

async function certificateOf(name: string) {
  const ca = await newCa()
  const { pem: cert, key } = await newLeaf(ca, { names: [name] })
  return { ca: ca.pem, tls: { cert, key } }
}

const heard: Answering = (request, response) => {
  const { url, headers, rawHeaders, method } = request
  void buffer(request).then(({ length: body }) =>
    response.end(JSON.stringify({ method, url, host: headers.host, rawHeaders, body })),
  )
}

test.each([
  ['http://wiki/x?y=1', [], '/x?y=1'],
  ['http://wiki:8080/x', ['--proxytunnel'], '/x'],
] as const)('curl %s %j', async (url, more, path) => {
  const world = await wordWorld()
  await webBehind(world, heard)
  const args = [...curlArgs(world, await wordOf(world)), ...more]
  const ran = await run('curl', [...args, '--data', 'hello', url])
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  const asked = JSON.parse(ran.stdout)
  expect(asked).toMatchObject({ method: 'POST', url: path, body: 5 })
  expect(JSON.stringify(asked.rawHeaders)).not.toMatch(/proxy-/i)
  await until(() => eventsOf(world.edge).length === 2)
  // The word is used up.
  const again = await run('curl', [...args, '--write-out', '%{http_code} %{http_connect}', url])
  expect(again.stdout + again.stderr).toContain('403')
})

test('curl through the proxy to a server with TLS of its own: from end to end, whatever HTTP is spoken within', async () => {
  const world = await wordWorld()
  const bytes = randomBytes(1 << 20)
  const { ca, tls } = await certificateOf('wiki')
  await webBehind(world, (_, response) => void response.end(bytes), tls)
  const inner = ['--cacert', filesOf({ inner: ca }).inner]
  const child = spawn('curl', [...curlArgs(world, await wordOf(world)), ...inner, 'https://wiki/'])
  expect(sha(await buffer(child.stdout))).toBe(sha(bytes))
  // The proxy's own certificate would not do.
  const outer = ['--cacert', filesOf({ outer: world.proxy.ca }).outer]
  const refused = await run('curl', [...curlArgs(world, await wordOf(world)), ...outer, 'https://wiki/'])
  expect([35, 60]).toContain(refused.code)
  expect(refused.stdout).toBe('')
})

test('a megabyte that curl asks for leave to send, and one in answer', async () => {
  const world = await wordWorld()
  const [sent, answer] = [randomBytes(3 << 20), randomBytes(1 << 20)]
  await webBehind(world, (request, response) => {
    void buffer(request).then((body) => response.setHeader('x-heard', sha(body)).end(answer))
  })
  const args = ['--include', '--data-binary', '@-', 'http://wiki/']
  const child = spawn('curl', [...curlArgs(world, await wordOf(world)), ...args])
  child.stdin.end(sent)
  const said = await buffer(child.stdout)
  const last = said.lastIndexOf('\r\n\r\n', said.length - answer.length) + 4
  expect(said.subarray(0, last).toString('latin1')).toContain(`x-heard: ${sha(sent)}`)
  expect(sha(said.subarray(last))).toBe(sha(answer))
})

test('curl hears why it was refused, and a service that breaks off never looks complete', async () => {
  const world = await wordWorld()
  await webBehind(world, (_, response) => {
    response.writeHead(200, { 'Content-Length': 10 }).write('half')
    setTimeout(() => response.destroy(), 50)
  })
  const broken = await run('curl', [...curlArgs(world, await wordOf(world)), 'http://wiki/'])
  expect(broken.code).not.toBe(0)
  const refused = await run('curl', [...curlArgs(world, 'A'.repeat(43)), '-i', 'http://wiki/'])
  expect(refused.stdout).toMatch(/^HTTP\/1\.1 403 .*grant_invalid/s)
  const [, request_id] = /"request_id":"([^"]+)"/.exec(refused.stdout) ?? []
  const lines = () =>
    world.proxy.log.filter(({ message, code }) => message === 'proxy request' && code === 'grant_invalid')
  await until(() => lines().length > 0)
  expect(lines()).toEqual([expect.objectContaining({ request_id, status: 403, method: 'GET', path: 'http://wiki/' })])
  const none = curlArgs(world, '').slice(0, -2)
  const challenged = await run('curl', [...none, '-i', 'http://wiki/'])
  expect(challenged.stdout).toMatch(/^HTTP\/1\.1 407 .*Basic realm="sallyport"/s)
})

test('git clones over TLS from end to end: it asks without a credential first, and one word is enough', async (context) => {
  const lacking = missing('git')
  if (lacking) return context.skip(lacking)
  const world = await wordWorld()
  const folder = newFolder()
  atEnd(() => remove(folder))
  const git = (...args: readonly string[]) => spawnSync('git', args, { cwd: folder, encoding: 'utf8' })
  const author = ['-c', 'user.name=Lea', '-c', 'user.email=lea@example.com']
  git('init', '--quiet', 'made')
  git('-C', 'made', ...author, 'commit', '--quiet', '--allow-empty', '--message', 'The first')
  git('clone', '--quiet', '--bare', 'made', 'served.git')
  const { ca: inner, tls } = await certificateOf('wiki')
  await webBehind(world, (request, response) => gitBackend(folder, request, response), tls)
  const ca = filesOf({ both: `${inner}${world.proxy.ca}` }).both
  const proxy = `http.proxy=https://any:${await wordOf(world)}@localhost:${world.proxy.port}`
  const trust = ['-c', `http.proxySSLCAInfo=${ca}`]
  const ran = await run('env', [
    `GIT_SSL_CAINFO=${ca}`,
    'git',
    '-c',
    proxy,
    ...trust,
    'clone',
    'https://wiki/served.git',
    join(folder, 'cloned'),
  ])
  expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('Cloning') })
  expect(git('-C', 'cloned', 'log', '--format=%s').stdout).toBe('The first\n')
  await expect.poll(world.proxy.codes).toContain('proxy_credential_missing')
})

/** git's own server, a CGI program. */
function gitBackend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '', 'http://x')
  const env = {
    ...{ PATH: process.env['PATH'], GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: '1', PATH_INFO: pathname },
    ...{ QUERY_STRING: search.slice(1), REQUEST_METHOD: request.method ?? 'GET' },
    ...{
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
    },
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
  }
  const child = spawn('git', ['http-backend'], { env })
  request.pipe(child.stdin)
  void buffer(child.stdout).then((said) => {
    const end = said.indexOf('\r\n\r\n')
    for (const line of said.subarray(0, end).toString('latin1').split('\r\n')) {
      const [name = '', value = ''] = line.split(': ')
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.end(said.subarray(end + 4))
  })
}
