/**
 * All of it as its users start it: the edge, a proxy with a file of its own, and people at terminals, each a process. They end with the test.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join as pathOf } from 'node:path'
import process from 'node:process'
import { expect } from 'vitest'
import type { Json } from '../../../core/intent.ts'
import { openIdentity } from '../../../proxy/identity.ts'
import { newAuthenticator } from '../../authenticator.ts'
import { type Terminals, terminals } from '../../cli/db/terminals.ts'
import { type Running as Command, keepCli } from '../../cli/run-cli.ts'
import type { Person } from '../../cli/tls-edge.ts'
import { registerFirst, Visitor } from '../../client.ts'
import { type Acting, join, putDocuments } from '../../people.ts'
import { approve, askOf, newProofKey, Program, parametersAt } from '../../program.ts'
import { freePort, launchServe, newFolder, type Running, ready, remove, root } from '../../runtime/launch.ts'
import { start as startEdgeCommand } from '../../worker/start/start.ts'
import { atEnd, needs } from '../proxy.ts'
import type { Line } from './log.ts'

const labels = { env: 'dev' }
const ofLabels = { env: ['dev'] }

/** Reaches everything of `env: dev`, as the one whom each kind knows. */
const role = (tap: boolean) => ({
  kind: 'role',
  version: 'v7',
  metadata: { name: 'everything' },
  spec: {
    options: { require_session_mfa: tap, bearer_grants: true },
    allow: {
      ...{ db_labels: ofLabels, db_users: ['reader'], db_names: ['app'] },
      ...{ node_labels: ofLabels, logins: ['ubuntu'], app_labels: ofLabels },
      ...{ kubernetes_labels: ofLabels, kubernetes_users: ['lea'], kubernetes_groups: ['developers'] },
    },
    deny: {},
  },
})

/** Where each resource is, by its name. */
interface Resources {
  readonly databases?: Readonly<Record<string, string>>
  readonly nodes?: Readonly<Record<string, string>>
  /** Their URI. */
  readonly apps?: Readonly<Record<string, string>>
  readonly clusters?: Readonly<Record<string, string>>
}

function documentsOf({ databases = {}, nodes = {}, apps = {}, clusters = {} }: Resources) {
  const all = (kind: string, version: string, at: Readonly<Record<string, string>>, specOf: (uri: string) => object) =>
    Object.entries(at).map(([name, uri]) => ({ kind, version, metadata: { name, labels }, spec: specOf(uri) }))
  const tls = { mode: 'insecure' }
  return [
    ...all('db', 'v3', databases, (uri) => ({ protocol: 'postgres', uri, tls })),
    ...all('node', 'v2', nodes, (addr) => ({ addr })),
    ...all('app', 'v3', apps, (uri) => ({ uri })),
    ...all('kube_cluster', 'v3', clusters, (uri) => ({ uri, tls })),
  ]
}

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
  /** The file of what vouches for the proxy. */
  readonly authority: string
  /** Administrator, with a program of his own. */
  readonly ada: Acting
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
  const [port, adminPort, home] = [await freePort(), await freePort(), pathOf(folder, 'state')]
  const authority = pathOf(home, 'ca.pem')
  const trusting = [`--proxy=localhost:${port}`, `--ca-file=${authority}`]
  const people = terminals({ cli, env, origin: edge.origin, proxy: trusting })
  const ada = await firstAdministrator(edge)
  const documents = [role(tap), ...documentsOf(resources)] as unknown as Json[]
  expect(await putDocuments(ada, documents)).toMatchObject({ status: 200 })
  const lea = await people.newPerson()
  await join(ada, 'Lea', ['access', 'everything'], lea)
  // It reads the edge as it begins, so it knows all of this; what is made afterwards it learns some seconds later.
  const file = pathOf(folder, 'proxy.yaml')
  writeFileSync(file, await configFor(edge, { port, adminPort, home, onSilence, routes }))
  const proxy = await keepProxy(file, { home, port, adminPort })
  await people.logIn(lea, 'lea')
  return {
    ...{ port, home, authority, ada, lea, people },
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

/** Registered by the link that the edge has printed. What he does he does by the edge's own interface, which takes no process each. */
async function firstAdministrator({ origin, secret = '' }: Running): Promise<Acting> {
  const [visitor, passkey] = [new Visitor(origin), await newAuthenticator({ origin, rpId: 'localhost' })]
  await registerFirst(visitor, secret, passkey)
  const program = new Program(await newProofKey(), new Visitor(origin), () => Date.now())
  const asked = askOf(program.key)
  const approved = await approve(visitor, passkey, asked)
  const code = parametersAt(approved.json.location).get('code') ?? ''
  const { status, json } = await program.token(program.codeForm(code, asked))
  expect(status).toBe(200)
  return { visitor, passkey, program, token: json.access_token }
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
    const child = spawn(process.execPath, [pathOf(root, 'proxy', 'main.ts'), 'start', '--config', file], {
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
