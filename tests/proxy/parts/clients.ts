/** Every kind of client of the port, each a real program, with what it asks for and what it should get. */
import { createHash } from 'node:crypto'
import process from 'node:process'
import type { Browser } from 'playwright-core'
import { type Command, newer } from '../../house/newer-debian.ts'
import { readerPassword } from '../../postgres.ts'
import { run } from '../front/front.ts'
import type { startMariaDb } from '../front/mariadb.ts'
import type { startOpenSsh } from '../front/openssh.ts'
import { type Git, gitName } from './git.ts'
import type { Kubernetes } from './kubernetes.ts'
import { rowsByPg } from './node-postgres.ts'
import { numbers, numbersAsked } from './postgres.ts'
import type { Redis } from './redis.ts'
import { frontName, textAt, type Web, webName } from './web.ts'

export interface Client {
  readonly name: string
  /** As its connections stand in the log: route, resource where it is a session, and what is offered by ALPN. */
  readonly line: string
  /** It may open several connections for one round, or use one for several. */
  readonly isFree?: true
  /** What it got, and what it should have got. */
  work(round: number): Promise<readonly [got: string, wanted: string]>
}

export interface Services {
  readonly mariadb: Awaited<ReturnType<typeof startMariaDb>>
  readonly ssh: Awaited<ReturnType<typeof startOpenSsh>>
  readonly redis: Redis
  readonly cluster: Kubernetes
  readonly git: Git
  readonly web: Web
  readonly browser: Browser
}

/** Where Lea's commands listen, beside the port of all. */
export interface Ports {
  readonly all: number
  readonly db: number
  readonly tcp: { readonly ssh: number; readonly redis: number; readonly kube: number }
  readonly http: number
}

const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C', PGPASSWORD: readerPassword }

async function outputOf(ran: ReturnType<typeof run>): Promise<string> {
  const { code, stdout, stderr } = await ran
  return code === 0 ? stdout : `it ended with ${code}: ${stderr}\n${stdout.slice(0, 500)}`
}

const output = (program: string, args: readonly string[], input?: string) =>
  outputOf(run(program, args, input, { env }))

/** `where`: what `db login` has printed. */
export const postgresClients = (where: string, { db }: Ports): Client[] => {
  const query = ['-XAtqw', '-c', numbersAsked]
  const { program, args } = newer('psql') as Command
  const local = `host=orders hostaddr=127.0.0.1 port=${db} user=reader dbname=app sslmode=disable`
  const psql = (name: string, line: string, ...command: [string, ...string[]]): Client => ({
    ...{ name, line },
    work: async () => [await output(command[0], [...command.slice(1), ...query]), `${numbers}\n`],
  })
  return [
    psql('psql 15, which asks for TLS', 'sallyport-resources orders', 'psql', where),
    psql('psql 17, which asks for TLS', 'sallyport-resources orders postgresql', program, ...args, where),
    psql(
      'psql 17, TLS at once',
      'sallyport-resources orders postgresql',
      ...([program, ...args, `${where} sslnegotiation=direct`] as const),
    ),
    psql('psql 15 by proxy db', 'sallyport orders sallyport', 'psql', local),
    {
      name: 'pg of npm, TLS at once',
      line: 'sallyport-resources orders postgresql',
      work: async () => {
        const [row] = await rowsByPg(where, readerPassword, 'direct', numbersAsked)
        return [String(row?.['numbers']), numbers]
      },
    },
  ]
}

/** What is asked of ssh, and what Redis must hold as `lines`. */
export const lines = Array.from({ length: 50_000 }, (_, at) => `${at + 1}\n`).join('')

export const otherServers = ({ mariadb, ssh, redis, cluster }: Services, { all, tcp }: Ports): Client[] => [
  {
    name: 'mariadb, which waits for the server',
    line: 'mysql',
    work: async (round) => [
      await outputOf(mariadb.sql(all, `select repeat('${round}-', 35000)`)),
      `${`${round}-`.repeat(35_000)}\n`,
    ],
  },
  ...[
    { name: 'ssh by a route', line: 'bastion', port: all },
    { name: 'ssh by proxy tcp', line: 'sallyport web-1 sallyport', port: tcp.ssh },
  ].map(({ port, ...client }) => ({
    ...client,
    work: async () => [await outputOf(ssh.ssh(port, 'seq 50000')), lines] as const,
  })),
  ...[
    { name: 'redis-cli by a route', line: 'redis-route', port: all },
    { name: 'redis-cli by proxy tcp', line: 'sallyport redis sallyport', port: tcp.redis },
  ].map(({ port, ...client }) => ({
    ...client,
    work: async () => [await outputOf(redis.cli(port, ['get', 'lines'])), `${lines}\n`] as const,
  })),
  {
    name: 'kubectl by proxy tcp',
    line: 'sallyport k8s sallyport',
    isFree: true,
    work: async () => [await outputOf(cluster.kubectl(tcp.kube, 'get', 'pods', '--output=name')), 'pod/one\npod/two\n'],
  },
]

export function webClients({ git, web, browser }: Services, { all, http }: Ports): Client[] {
  const [here, forward] = [`http://127.0.0.1:${all}`, `http://127.0.0.1:${http}`]
  const curl = (...args: readonly string[]) =>
    output('curl', ['--silent', '--show-error', '--fail', '--noproxy', '', '--cacert', web.files.ca, ...args])
  const trusting = ['-CAfile', web.files.ca, '-verify_return_error', '-verify_hostname', frontName]
  const ncat = ['--ssl', '--ssl-verify', '--ssl-trustfile', web.files.ca, '--ssl-servername', webName]
  /** Asks by hand, and reads until the server ends. */
  const byHand = async (path: string, program: string, ...args: readonly string[]) => {
    const said = await output(program, args, `GET ${path} HTTP/1.0\r\n\r\n`)
    return [said.slice(said.indexOf('\r\n\r\n') + 4), textAt(path)] as const
  }
  const clone = async (proxy: string, url: string) => {
    const { sha, stderr } = await git.clone(proxy, url)
    return [`${stderr}${sha}`, git.sha] as const
  }
  return [
    {
      name: 'curl by CONNECT in the clear',
      line: 'web h2,http/1.1',
      work: async (round) => [await curl('--proxy', here, `https://${webName}:${all}/a${round}`), textAt(`/a${round}`)],
    },
    {
      name: 'curl --resolve',
      line: 'web h2,http/1.1',
      work: async (round) => [
        await curl('--resolve', `${webName}:${all}:127.0.0.1`, `https://${webName}:${all}/b${round}`),
        textAt(`/b${round}`),
      ],
    },
    {
      name: 'curl by proxy http',
      line: 'sallyport vault sallyport',
      work: async (round) => [await curl('--proxy', forward, `https://${webName}/c${round}`), textAt(`/c${round}`)],
    },
    {
      name: 'openssl s_client, whose TLS ends at the proxy',
      line: 'front',
      work: (round) =>
        byHand(
          `/d${round}`,
          'openssl',
          's_client',
          '-quiet',
          '-connect',
          `127.0.0.1:${all}`,
          '-servername',
          frontName,
          ...trusting,
        ),
    },
    { name: 'ncat --ssl', line: 'web', work: (round) => byHand(`/e${round}`, 'ncat', ...ncat, '127.0.0.1', `${all}`) },
    {
      name: 'ncat --proxy',
      line: 'web',
      work: (round) =>
        byHand(`/f${round}`, 'ncat', '--proxy', `127.0.0.1:${all}`, '--proxy-type', 'http', ...ncat, webName, `${all}`),
    },
    {
      name: 'git by CONNECT in the clear',
      line: 'git-route h2,http/1.1',
      isFree: true,
      work: () => clone(here, `https://${gitName}:${all}/repo.git`),
    },
    {
      name: 'git by proxy http',
      line: 'sallyport git sallyport',
      isFree: true,
      work: () => clone(forward, `https://${gitName}/repo.git`),
    },
    {
      name: 'Chromium by proxy http',
      line: 'sallyport wiki sallyport',
      isFree: true,
      work: async (round) => {
        const page = await browser.newPage()
        await page.goto(`http://wiki/g${round}`)
        const text = (await page.evaluate('document.body.innerText')) as string
        await page.close()
        return [text.trimEnd(), textAt(`/g${round}`).trimEnd()]
      },
    },
  ]
}

/** For a message that a person can read. */
export const short = (text: string): string =>
  text.length <= 300
    ? text
    : `${text.slice(0, 200)}… (${text.length}, ${createHash('sha256').update(text).digest('hex').slice(0, 12)})`
