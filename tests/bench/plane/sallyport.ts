/** Our proxy as an operator starts it, registered at an edge of its own: two processes, of which the proxy is measured. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { edgeCommand } from '../sallyport.ts'
import { freePort, Server } from '../servers.ts'
import type { Contender, Ground, Started } from './contender.ts'
import type { Reach } from './openers.ts'
import { newReader, type Person, shownBy } from './person.ts'
import { serverName } from './wire.ts'

const main = join(import.meta.dirname, '../../../proxy/main.ts')
const name = 'sallyport'

/** Its passthrough: a static route. */
export const passthrough: Contender = {
  name,
  setup: 'proxy.yaml with a static route, tls: passthrough',
  start: async (ground) => {
    const pair = await startPair(ground)
    return { ...pair, reach: async () => ({ by: 'hello', port: pair.port }) }
  },
}

/** Its sessions: TLS 1.3, discovery by token, CONNECT by grant and tap. */
export const sessions: Contender = {
  name,
  setup:
    'TLS 1.3, discovery by token and proof, CONNECT by a grant with its tap and a proof; PostgreSQL messages are followed',
  start: async (ground) => {
    let person: Person | undefined
    const pair = await startPair(ground, async (origin, secret) => {
      person = await newReader(origin, secret, ground.backend)
    })
    const reach = await reachBy(person as Person, pair.port, ground)
    return { ...pair, reach }
  },
}

async function reachBy(person: Person, port: number, { certificate, load }: Ground): Promise<Started['reach']> {
  const by = (shown: Extract<Reach, { by: 'grant' }>['shown']): Extract<Reach, { by: 'grant' }> => {
    return { by: 'grant', port, ca: certificate.pem, shown }
  }
  const nobody = await shownBy(person, { id: '', boot: '' }, 0)
  const { answer } = await load.ask({ what: 'discover', reach: by(nobody) })
  const proxy = answer as { id: string; boot: string }
  return async (openings) => by(await shownBy(person, proxy, openings))
}

type Prepare = (origin: string, secret: string) => Promise<void>

type PairGround = Omit<Ground, 'load'>

interface Pair extends Omit<Started, 'reach'> {
  readonly server: Server
  readonly port: number
  readonly origin: string
  /** The edge once more, where it has ended. */
  startEdge(): Server
}

/** `prepare`: what the edge must know before the proxy first asks. `more`: what proxy.yaml says besides. */
export async function startPair(ground: PairGround, prepare?: Prepare, more: object = {}): Promise<Pair> {
  const { folder } = ground
  const [home, port] = [join(folder, 'edge'), await freePort()]
  mkdirSync(home)
  const { args, env } = edgeCommand(home, port)
  const servers: Server[] = []
  const startEdge = () => {
    const edge = new Server(args, env, join(folder, 'edge.log'))
    servers.push(edge)
    return edge
  }
  const edge = startEdge()
  const stop = async () => {
    for (const server of servers.toReversed()) await server.stop()
  }
  try {
    const secret = await edge.said(/first-administrator#(\S+)/)
    const origin = `http://localhost:${port}`
    await prepare?.(origin, secret)
    const own = await freePort()
    const file = await writeConfig(ground, origin, own, more)
    const { x } = JSON.parse(run([main, 'identity', '--config', file], {}))
    run([...args, 'proxies', 'add', name, `--key=${x}`], env)
    const server = new Server([...ground.nodeArgs, main, 'start', '--config', file], {}, join(folder, 'proxy.log'))
    servers.push(server)
    await server.said(/proxy ready/)
    return { server, beside: edge, port: own, origin, startEdge, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const run = (args: readonly string[], env: Readonly<Record<string, string>>): string =>
  execFileSync(process.execPath, args, { env }).toString()

async function writeConfig(
  { folder, backend, certificate }: PairGround,
  origin: string,
  port: number,
  more: object,
): Promise<string> {
  const { keys } = (await (await fetch(`${origin}/oauth/jwks`)).json()) as { keys: { x: string }[] }
  const file = join(folder, 'proxy.yaml')
  const route = { name: 'plain', sni: [serverName], tls: 'passthrough', backends: [`127.0.0.1:${backend}`] }
  // JSON is YAML.
  const config = {
    version: 'v1',
    edge: { url: origin, keys: keys.map(({ x }) => x) },
    listen: { hosts: ['127.0.0.1'], port },
    names: ['localhost'],
    cert: certificate.cert,
    key: certificate.key,
    home: join(folder, 'proxy'),
    routes: [route],
    ...more,
  }
  writeFileSync(file, JSON.stringify(config, null, 2))
  return file
}
