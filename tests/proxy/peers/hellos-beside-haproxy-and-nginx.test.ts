/**
 * Which backend a hello reaches, however it is cut: ours exactly, and beside it what HAProxy and nginx of Debian do, which is written down
 * and not judged. tests/.artifacts/hellos-beside-peers.md has the table of a run.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { root } from '../../runtime/launch.ts'
import { until } from '../proxy.ts'
import { connectTo, routeOf, startRoutes } from '../routes/routes.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { missingPeers, type Peer, startHaproxy, startNginx, versions } from './peers.ts'
import { makeVariants, type Variant } from './variants.ts'

const variants = await makeVariants()
const limit = 65_536
/** Longer than the peers' own deadlines for a hello. */
const patienceMs = 5000

/** Each greets with its letter once it is spoken to. */
async function startBackends() {
  const greeting = (letter: string) => startService((socket) => void socket.once('data', () => socket.write(letter)))
  const [a, d] = [await greeting('A'), await greeting('D')]
  return { a, d, uris: { a: a.uri, d: d.uri } }
}

async function write(port: number, { writes }: Variant) {
  const client = await connectTo({ port })
  client.socket.once('end', () => client.socket.end())
  for (const piece of writes) {
    client.socket.write(piece)
    if (writes.length > 1) await new Promise(setImmediate)
  }
  return client
}

const whole = ({ writes }: Variant) => Buffer.concat(writes).toString('latin1')

async function startOurs(raised: boolean) {
  const backends = await startBackends()
  const routes = [
    routeOf({ name: 'a', backends: [backends.uris.a] }),
    routeOf({ name: 'd', sni: ['*'], noSni: true, backends: [backends.uris.d] }),
  ]
  // What is refused is refused at once: no deadline of ours may come to its help.
  const proxy = await startRoutes(routes, { limits: { handshakeMs: 3_600_000 }, ...(raised && { maxHello: limit }) })
  return { proxy, ...backends }
}

test.for(variants)('a hello $what', async (variant) => {
  const { proxy, a, d } = await startOurs(variant.raised ?? false)
  const client = await write(proxy.port, variant)
  const { ours } = variant
  if (typeof ours === 'string') {
    const reached = ours === 'A' ? a : d
    await until(() => client.said() === ours, 20_000)
    await until(() => reached.connections[0]?.said() === whole(variant), 20_000)
    expect([a.connections.length, d.connections.length]).toEqual(ours === 'A' ? [1, 0] : [0, 1])
    await expect.poll(proxy.codes).toEqual([])
    return
  }
  await client.closed
  expect(client.said()).toBe(ours.answer ?? '')
  await expect.poll(proxy.codes).toEqual([ours.code])
  expect([a.connections.length, d.connections.length]).toEqual([0, 0])
})

type Outcome = 'A' | 'D' | 'closed' | 'reset' | 'waits'

/** What a client sees of a peer first. */
async function outcomeOf({ port }: Peer, variant: Variant): Promise<Outcome> {
  const client = await write(port, variant)
  const late = Date.now() + patienceMs
  while (client.said() === '' && !client.socket.closed && Date.now() < late) await sleep(10)
  const said = client.said()
  if (said === 'A' || said === 'D') return said
  if (!client.socket.closed) return 'waits'
  return (await client.closed) === undefined ? 'closed' : 'reset'
}

const missing = missingPeers()

test.skipIf(missing)(
  'the table of what HAProxy and nginx do',
  async () => {
    const { uris } = await startBackends()
    const start = async (raised: boolean) => [await startHaproxy(uris, raised), await startNginx(uris, raised)] as const
    const [plain, raised] = [await start(false), await start(true)]
    const rows = await Promise.all(
      variants.map(async (variant) => {
        const [haproxy, nginx] = variant.raised ? raised : plain
        return { variant, haproxy: await outcomeOf(haproxy, variant), nginx: await outcomeOf(nginx, variant) }
      }),
    )
    const { haproxy, nginx } = versions()
    const lines = rows.map((row) => `| ${row.variant.what} | ${oursOf(row.variant)} | ${row.haproxy} | ${row.nginx} |`)
    const head = [`| a hello | Sallyport | HAProxy ${haproxy} | nginx ${nginx} |`, '|---|---|---|---|']
    mkdirSync(join(root, 'tests', '.artifacts'), { recursive: true })
    writeFileSync(join(root, 'tests', '.artifacts', 'hellos-beside-peers.md'), `${[...head, ...lines].join('\n')}\n`)
    // They did run, and can tell one name from another.
    expect(rows[0]).toMatchObject({ haproxy: 'A', nginx: 'A' })
    expect(rows.find(({ variant }) => variant.ours === 'D')).toMatchObject({ haproxy: 'D', nginx: 'D' })
  },
  120_000,
)

const oursOf = ({ ours }: Variant) => (typeof ours === 'string' ? ours : 'closed')
