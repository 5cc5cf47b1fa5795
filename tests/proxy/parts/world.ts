/**
 * All of it as its users start it: the edge, a proxy with a file of its own, and people at terminals, each a process. They end with the test.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { expect } from 'vitest'
import { openIdentity } from '../../../proxy/identity.ts'
import { type Terminals, terminals } from '../../cli/db/terminals.ts'
import { type Running as Command, keepCli } from '../../cli/run-cli.ts'
import type { Person } from '../../cli/tls-edge.ts'
import { registerFirst } from '../../client.ts'
import { freePort, launchServe, newFolder, type Running, ready, remove, root } from '../../runtime/launch.ts'
import { start as startEdgeCommand } from '../../worker/start/start.ts'
import { atEnd, needs } from '../proxy.ts'
import type { Line } from './log.ts'

/** Reaches everything of `env: dev`, as the one whom each kind knows. */
const role = (tap: boolean) => `kind: role
version: v7
metadata: { name: everything }
spec:
  options: { require_session_mfa: ${tap} }
  allow:
    db_labels: { env: dev }
    db_users: [reader]
    db_names: [app]
    node_labels: { env: dev }
    logins: [ubuntu]
    app_labels: { env: dev }
    kubernetes_labels: { env: dev }
    kubernetes_users: [lea]
    kubernetes_groups: [developers]
  deny: {}
`

/** Where each resource is, by its name. */
interface Resources {
  readonly databases?: Readonly<Record<string, string>>
  readonly nodes?: Readonly<Record<string, string>>
  /** Their URI. */
  readonly apps?: Readonly<Record<string, string>>
  readonly clusters?: Readonly<Record<string, string>>
}

const document = (kind: string, version: string, name: string, spec: string) =>
  `kind: ${kind}\nversion: ${version}\nmetadata: { name: ${name}, labels: { env: dev } }\nspec: { ${spec} }\n`

const insecure = 'tls: { mode: insecure }'

const documentsOf = ({ databases = {}, nodes = {}, apps = {}, clusters = {} }: Resources): string[] => [
  ...Object.entries(databases).map(([name, at]) =>
    document('db', 'v3', name, `protocol: postgres, uri: "${at}", ${insecure}`),
  ),
  ...Object.entries(nodes).map(([name, at]) => document('node', 'v2', name, `addr: "${at}"`)),
  ...Object.entries(apps).map(([name, at]) => document('app', 'v3', name, `uri: "${at}"`)),
  ...Object.entries(clusters).map(([name, at]) => document('kube_cluster', 'v3', name, `uri: "${at}", ${insecure}`)),
]

interface Options extends Resources {
  readonly tap?: boolean
  /** Of proxy.yaml. */
  readonly onSilence?: string | undefined
  readonly routes?: readonly string[]
  /** Of Lea's commands. */
  readonly env?: Readonly<Record<string, string>>
}

export interface World {
  readonly port: number
  readonly home: string
  /** Administrator. */
  readonly ada: Person
  /** Reaches everything. */
  readonly lea: Person
  readonly people: Terminals
  /** What the proxy's log says so far. */
  lines(): readonly Line[]
  /** The text of /metrics. */
  metrics(): Promise<string>
  /** A command of Lea's which listens, with the port that it listens on. */
  listening(...args: readonly string[]): Promise<Command & { readonly port: number }>
  /** The proxy ends, and another process of it begins. */
  restartProxy(how?: NodeJS.Signals): Promise<void>
}

/** For which a local proxy may run. */
const patienceMs = 180_000

export async function startWorld({
  tap = false,
  onSilence,
  routes = [],
  env = {},
  ...resources
}: Options): Promise<World> {
  const edge = await launchServe('node')
  const folder = newFolder()
  const cli = keepCli({ patienceMs })
  atEnd(async () => {
    cli.end()
    await edge.stop()
    for (const one of [folder, edge.home]) remove(one)
  })
  const [port, adminPort, home] = [await freePort(), await freePort(), join(folder, 'state')]
  const file = join(folder, 'proxy.yaml')
  writeFileSync(file, await configFor(edge, { port, adminPort, home, onSilence, routes }))
  const proxy = await keepProxy(file, { home, port, adminPort })
  const trusting = [`--proxy=localhost:${port}`, `--ca-file=${join(home, 'ca.pem')}`]
  const people = terminals({ cli, env, origin: edge.origin, proxy: trusting })
  const ada = await people.newPerson()
  await registerFirst(ada.visitor, edge.secret ?? '', ada.passkey)
  await people.logIn(ada, 'ada')
  await people.create(ada, 'ada', [role(tap), ...documentsOf(resources)].join('---\n'))
  const lea = await people.invite(ada, 'ada', 'Lea', 'access,everything')
  await people.logIn(lea, 'lea')
  return {
    ...{ port, home, ada, lea, people },
    lines: proxy.lines,
    metrics: async () => (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text(),
    listening: async (...args) => {
      const running = people.start('lea', [...args, '--no-browser'])
      const [, own = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)/m)
      return { ...running, port: Number(own) }
    },
    restartProxy: proxy.restart,
  }
}

interface Config extends Pick<Options, 'onSilence' | 'routes'> {
  readonly port: number
  readonly adminPort: number
  readonly home: string
}

/** The proxy is made known to the edge, and what the edge says of itself stands in the file. */
async function configFor(edge: Running, { port, adminPort, home, onSilence, routes = [] }: Config): Promise<string> {
  const { x } = await openIdentity(needs, home)
  const ofEdge = { SALLYPORT_HOME: edge.home, SALLYPORT_EDGE_PORT: new URL(edge.origin).port }
  const { stdout } = await startEdgeCommand(ofEdge, ['proxies', 'add', 'here', `--key=${x}`])
  // Its keys, each on a line of its own.
  const keys = [...stdout.matchAll(/^ +- "([\w-]{43})"$/gm)].map(([, key]) => key)
  const silence = onSilence === undefined ? '' : `, on_silence: { after: 5s, route: ${onSilence} }`
  return `version: v1
edge: { url: "${edge.origin}", keys: [${keys.join(', ')}] }
listen: { hosts: [127.0.0.1], port: ${port}${silence} }
names: [localhost]
home: state
admin_port: ${adminPort}
routes: [${routes.map((route) => `\n  ${route}`).join(',')}]
`
}

async function keepProxy(file: string, { home, port, adminPort }: Pick<Config, 'home' | 'port' | 'adminPort'>) {
  const started: Running[] = []
  const startOne = async () => {
    const child = spawn(process.execPath, [join(root, 'proxy', 'main.ts'), 'start', '--config', file], {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    atEnd(() => child.kill('SIGKILL'))
    started.push(await ready(child, home, `localhost:${port}`, /^proxy ready \S+\n$/))
    // It listens, and knows what it needs of the edge.
    const isReady = async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok
    await expect.poll(isReady, { timeout: 30_000 }).toBe(true)
  }
  await startOne()
  const lines = () =>
    started
      .flatMap(({ stderr }) => stderr().split('\n'))
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as Line)
  const restart = async (how: NodeJS.Signals = 'SIGKILL') => {
    const { child } = started.at(-1) as Running
    const ended = new Promise((done) => child.once('exit', done))
    child.kill(how)
    await ended
    await startOne()
  }
  return { lines, restart }
}
