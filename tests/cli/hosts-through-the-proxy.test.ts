/** Hosts that a role names, by the commands as processes, through the real proxy with the real edge behind it: where a name leads is the test's to say. */
import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { until } from '../proxy/proxy.ts'
import { anyPort, type HostWorld, here, newHostWorld, say } from '../proxy/sessions/hosts.ts'
import { eventsOf } from '../proxy/sessions/world.ts'
import { dial } from './db/wire.ts'
import { curl, listening } from './forward-proxy.ts'
import { issuer, signedIn } from './tls-edge.ts'

const allow = [{ name: '*.internal', ports: anyPort, networks: here }]

/** Lea at a terminal. Her commands have the machine's clock, so the edge begins with it. */
async function atTerminal(answers = [['127.0.0.1']], rules = allow) {
  const world = await newHostWorld(rules, { answers, site: { origin: issuer, at: Date.now() } })
  const onTime = () => world.edge.advance(Date.now() - world.edge.ports.now())
  onTime()
  const { lea, proxy } = world
  const cli = await signedIn({ port: proxy.port, caPem: proxy.ca, person: lea })
  const listen = async (...args: string[]) => {
    onTime()
    const running = cli.start(['proxy', ...args, '--no-browser'])
    const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)/m)
    return { running, port: Number(port), at: `http://127.0.0.1:${port}` }
  }
  return { world, cli, listen, onTime }
}

const hello = () => listening(createServer(({ headers, url }, reply) => void reply.end(`${headers.host} ${url}`)))

const startsIn = ({ edge }: HostWorld) =>
  eventsOf(edge)
    .filter(({ kind }) => kind === 'session.start')
    .map(({ detail }) => JSON.parse(String(detail)).resource)

test('proxy tcp HOST:PORT: bytes come and go, and the audit log names host and port', async () => {
  const { world, listen } = await atTerminal()
  const name = `git.internal:${world.port}`
  const { port } = await listen('tcp', name)
  const wire = dial(port)
  wire.send('hello\r\n')
  await wire.until(/^hello\r\n$/)
  await until(() => startsIn(world).length > 0)
  expect(startsIn(world)).toEqual([name])
  expect(world.resolved).toEqual(['git.internal'])
}, 60_000)

test('proxy http: curl by http:// and by CONNECT; what is denied, and what no rule names, is 403', async () => {
  const { world, listen } = await atTerminal()
  const port = await hello()
  await say(world, allow, { hosts: [{ name: 'secret.internal' }] })
  const { at } = await listen('http')
  expect(await curl(at, `http://git.internal:${port}/a`)).toMatchObject({ body: `git.internal:${port} /a` })
  expect(await curl(at, '--proxytunnel', `http://www.internal:${port}/b`)).toMatchObject({
    body: `www.internal:${port} /b`,
    status: '200 200',
  })
  expect((await curl(at, `http://secret.internal:${port}/`)).status).toBe('403 000')
  expect((await curl(at, '--proxytunnel', `http://secret.internal:${port}/`)).status).toBe('000 403')
  expect((await curl(at, `http://git.example.com:${port}/`)).status).toBe('403 000')
  await until(() => startsIn(world).length === 2)
  expect(startsIn(world)).toEqual([`git.internal:${port}`, `www.internal:${port}`])
  expect(world.resolved).toEqual(['git.internal', 'www.internal'])
}, 60_000)

test('a name that leads to a private address that no networks name: reset, 403, and where it leads is not told', async () => {
  const { world, listen } = await atTerminal([['10.0.0.1']])
  const name = `git.internal:${world.port}`
  const tcp = await listen('tcp', name)
  const wire = dial(tcp.port)
  wire.send('hello')
  expect(await wire.ended).toBe('reset')
  await tcp.running.seen(/leads to no address that your roles allow/)
  const http = await listen('http')
  expect(await curl(http.at, `http://${name}/`)).toMatchObject({ status: '403 000' })
  const said = [tcp, http].map(({ running }) => running.stdout() + running.stderr()).join('')
  expect(said).not.toContain('10.0.0.1')
  expect(world.proxy.codes()).toContain('address_not_allowed')
  expect(world.reached).toEqual([])
}, 60_000)

test('of two addresses of a name the one that is allowed is dialled, and with none of two it is 403', async () => {
  const { world, listen } = await atTerminal([
    ['10.0.0.1', '127.0.0.1'],
    ['10.0.0.1', '169.254.169.254'],
  ])
  const port = await hello()
  const { at } = await listen('http')
  expect(await curl(at, `http://git.internal:${port}/a`)).toMatchObject({ body: `git.internal:${port} /a` })
  expect((await curl(at, `http://www.internal:${port}/b`)).status).toBe('403 000')
  await until(() => eventsOf(world.edge).some(({ code }) => code === 'address_not_allowed'))
  expect(startsIn(world)).toEqual([`git.internal:${port}`])
}, 60_000)

test('why host:HOST:PORT says what the proxy then does', async () => {
  const { world, cli, onTime } = await atTerminal()
  await say(world, allow, { hosts: [{ name: 'secret.internal' }] })
  onTime()
  const allowed = await cli.run(['why', 'host:git.internal:22'])
  expect(allowed.stdout).toMatch(/^answer: +allowed$/m)
  expect(allowed.stdout).toMatch(/^rule: +db-reader: allows by allow\.hosts\[0\]/m)
  const denied = await cli.run(['why', 'host:secret.internal:22'])
  expect(denied.stdout).toMatch(/^answer: +refused: denied$/m)
  expect(denied.stdout).toMatch(/^rule: +db-reader: .*deny\.hosts\[0\]/m)
  expect((await cli.run(['why', 'host:git.example.com:22'])).stdout).toMatch(/^answer: +refused: not allowed$/m)
}, 60_000)
