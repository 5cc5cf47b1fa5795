/**
 * What the port is for: every kind of client there is, the real programs, all at once through one port of one proxy process, several times
 * each. All answers are whole, the log has one line for each connection, and /metrics counts what the log says. Only the Kubernetes API
 * server is a stub.
 */
import type { Browser } from 'playwright-core'
import { expect, test } from 'vitest'
import { missingNewer } from '../house/newer-debian.ts'
import { missingPostgres, readerPassword, startPostgres } from '../postgres.ts'
import { openBrowser, requireChromium } from '../web/browser.ts'
import { missing } from './front/front.ts'
import { startMariaDb } from './front/mariadb.ts'
import { startOpenSsh } from './front/openssh.ts'
import { clientsAlone } from './parts/alone.ts'
import {
  type Client,
  lines as held,
  otherServers,
  postgresClients,
  type Services,
  short,
  webClients,
} from './parts/clients.ts'
import { gitName, startGit } from './parts/git.ts'
import { startKubernetes } from './parts/kubernetes.ts'
import { countBy, endsOf, type Line, samplesOf } from './parts/log.ts'
import { dbLogin } from './parts/postgres.ts'
import { redisName, redisPrograms, startRedis } from './parts/redis.ts'
import { frontName, startWeb, webName } from './parts/web.ts'
import { startWorld, type World } from './parts/world.ts'
import { atEnd } from './proxy.ts'

const programs = ['ssh', '/usr/sbin/sshd', 'mariadb', 'mariadb-install-db', 'git', 'curl', 'openssl', 'ncat']
const lacking =
  missingPostgres() ?? missing(...programs, ...redisPrograms) ?? missingNewer('psql') ?? missingNewer('kubectl')
const rounds = 2

async function startServices(): Promise<Omit<Services, 'browser'> & { readonly postgres: string }> {
  const postgres = await startPostgres()
  atEnd(postgres.stop)
  const [mariadb, ssh, redis] = [await startMariaDb(), await startOpenSsh(), await startRedis()]
  const [web, git, cluster] = [await startWeb(), await startGit(), await startKubernetes(['one', 'two'])]
  const port = Number(redis.uri.split(':')[1])
  expect((await redis.cli(port, ['set', 'lines'], Buffer.from(held))).stdout).toBe('OK\n')
  return { mariadb, ssh, redis, web, git, cluster, postgres: `127.0.0.1:${postgres.port}` }
}

const worldOf = ({ postgres, mariadb, ssh, redis, cluster, git, web }: Awaited<ReturnType<typeof startServices>>) =>
  startWorld({
    env: { PGPASSWORD: readerPassword },
    databases: { orders: postgres },
    nodes: { 'web-1': ssh.uri },
    apps: {
      redis: `tcp://${redis.uri}`,
      git: `https://${git.uri}`,
      vault: `https://${web.uri}`,
      wiki: `http://${web.plain}`,
    },
    clusters: { k8s: cluster.uri },
    onSilence: 'mysql',
    routes: [
      `{ name: mysql, protocol: mysql, backends: ["${mariadb.uri}"] }`,
      `{ name: bastion, protocol: ssh, backends: ["${ssh.uri}"] }`,
      `{ name: redis-route, sni: [${redisName}], tls: passthrough, backends: ["${redis.uri}"] }`,
      `{ name: git-route, sni: [${gitName}], tls: passthrough, backends: ["${git.uri}"] }`,
      `{ name: web, sni: [${webName}], tls: passthrough, backends: ["${web.uri}"] }`,
      `{ name: front, sni: [${frontName}], tls: terminate, cert: ${web.files.cert}, key: ${web.files.key}, backends: ["${web.plain}"] }`,
    ],
  })

/** Lea's commands. One person has four sessions at most that wait to be opened, so there is one command fewer. */
async function startLocalProxies(world: World) {
  const asWhom = ['--login=ubuntu', '--kube-user=lea', '--kube-group=developers']
  const [db, tcp, http] = await Promise.all([
    world.listening('proxy', 'db', 'orders'),
    world.listening('proxy', 'tcp', 'node/web-1', 'app/redis', 'kube_cluster/k8s', ...asWhom),
    world.listening('proxy', 'http', `${gitName}=git`, `${webName}=vault`, 'wiki'),
  ])
  const portFor = async (what: string) =>
    Number((await tcp.seen(new RegExp(`^listening on 127\\.0\\.0\\.1:(\\d+) for ${what}$`, 'm')))[1])
  const said = () => [db, tcp, http].map(({ stderr }) => stderr()).join('')
  const ofTcp = { ssh: tcp.port, redis: await portFor('app/redis'), kube: await portFor('kube_cluster/k8s') }
  return { all: world.port, db: db.port, tcp: ofTcp, http: http.port, said }
}

const lineOf = ({ route, resource, alpn }: Line): string => [route, resource, alpn].filter(Boolean).join(' ')
/** Not those of commands that ask the proxy or the edge for something. A stream of HTTP/2 is told beside the connection that it is of. */
const ofClients = (lines: readonly Line[]) =>
  [...endsOf(lines), ...lines.filter(({ message }) => message === 'tunnel ended')].filter(
    ({ route, resource, alpn }) => route !== 'sallyport' || resource !== undefined || alpn === 'sallyport-auth',
  )

/** One after the other of each client, and all clients at once. What was not as it should be. */
async function work(clients: readonly Client[]): Promise<string[]> {
  const wrong: string[] = []
  const all = clients.map(async ({ name, work: once }) => {
    for (let round = 1; round <= rounds; round++) {
      const [got, wanted] = await once(round).catch((error: unknown) => [String(error), ''] as const)
      if (got !== wanted) wrong.push(`${name}, round ${round}: ${short(got)}`)
    }
  })
  await Promise.all(all)
  return wrong
}

/** Programs and servers may leave before they have read each other's last words, which is a reset of theirs. What was refused or cut is not. */
const isOrderly = ({ code, closed_by }: Line): boolean => code === 'ended' || code === `${closed_by}_reset`

/** The log tells each connection once, under the route and the resource that it was for. */
function expectLines(lines: readonly Line[], clients: readonly Client[]): void {
  const told = ofClients(lines)
  const free = new Set(clients.flatMap(({ isFree, line }) => (isFree ? [line] : [])))
  const exact = clients.filter(({ isFree }) => !isFree).flatMap(({ line }) => Array<string>(rounds).fill(line))
  const isExact = (line: Line) => !free.has(lineOf(line))
  expect(countBy(told.filter(isExact), lineOf)).toEqual(countBy(exact, (line) => line))
  expect(new Set(told.filter((line) => !isExact(line)).map(lineOf))).toEqual(free)
  expect(new Set(told.map(({ connection }) => connection)).size).toBe(told.length)
  expect(endsOf(lines).filter((line) => !isOrderly(line))).toEqual([])
  expect(lines.filter(({ level }) => level !== 'info')).toEqual([])
  const sessions = told.filter(({ resource }) => resource !== undefined)
  expect(new Set(sessions.map(({ user }) => user)).size).toBe(1)
  expect(lines.filter(({ message }) => message === 'session started')).toHaveLength(sessions.length)
}

const isOf = (labels: string, route: string): boolean =>
  labels.startsWith('message="connection ended"') && (/,route="([^"]*)"$/.exec(labels)?.[1] ?? '') === route

/** What the log says and /metrics does not, or the other way round. */
function differences(lines: readonly Line[], text: string): readonly string[] {
  const ends = endsOf(lines)
  const counted = samplesOf(text, 'log_total')
  const bytes = samplesOf(text, 'bytes_total')
  const wanted: Record<string, number> = { sessions: 0, relays: 0 }
  const found: Record<string, number> = {
    sessions: samplesOf(text, 'sessions')[''] ?? -1,
    relays: samplesOf(text, 'relays')[''] ?? -1,
  }
  for (const route of new Set(ends.map(({ route = '' }) => route))) {
    const own = ends.filter((line) => (line.route ?? '') === route)
    wanted[route] = own.length
    found[route] = Object.entries(counted).reduce((sum, [labels, count]) => sum + (isOf(labels, route) ? count : 0), 0)
    for (const direction of ['up', 'down'] as const) {
      wanted[`${route} ${direction}`] = own.reduce((sum, line) => sum + (line[direction] ?? 0), 0)
      found[`${route} ${direction}`] = bytes[`route="${route}",direction="${direction}"`] ?? 0
    }
  }
  return Object.keys(wanted).flatMap((key) =>
    wanted[key] === found[key] ? [] : [`${key}: the log says ${wanted[key]}, /metrics ${found[key]}`],
  )
}

test('psql, pg, mariadb, redis-cli, ssh, kubectl, git, curl, openssl, ncat and Chromium through one port', {
  timeout: 240_000,
}, async (context) => {
  requireChromium(context)
  if (lacking) return context.skip(lacking)
  const services = await startServices()
  const world = await worldOf(services)
  const where = await dbLogin(world)
  const { code, stdout: login } = await world.people.start('lea', ['app', 'login', 'wiki', '--no-browser']).ended
  expect(code).toBe(0)
  const ports = await startLocalProxies(world)
  const browser = (await openBrowser([`--proxy-pac-url=http://127.0.0.1:${ports.http}/proxy.pac`])) as Browser
  atEnd(() => browser.close())
  const all = { ...services, browser }
  const clients = [...postgresClients(where, ports), ...otherServers(all, ports), ...webClients(all, ports)]
  clients.push(...clientsAlone(world, { ...services, login }))
  const wrong = await work(clients)
  const refused = world.lines().filter(({ code = 'ended' }) => code !== 'ended')
  expect(wrong, `${ports.said()}${refused.map((line) => JSON.stringify(line)).join('\n')}`).toEqual([])
  await browser.close()
  const compared = async () => differences(world.lines(), await world.metrics())
  await expect.poll(compared, { timeout: 30_000 }).toEqual([])
  expectLines(world.lines(), clients)
})
