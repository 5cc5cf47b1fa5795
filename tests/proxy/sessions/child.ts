/** A proxy of that world as a process of its own, whose memory and end can be looked at. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { addProxy, proxyOf } from '../../../core/access/proxies.ts'
import { openIdentity } from '../../../proxy/identity.ts'
import { terminal } from '../../edge.ts'
import { newHome } from '../../worker/start/start.ts'
import { needs } from '../proxy.ts'
import { type Started, startReady } from '../start/start.ts'
import { type Reached, Tunnel, type World } from './world.ts'

/** The clock of a process is the machine's: so is the edge's from now on. */
export async function startChild(world: World, home = newHome()): Promise<Started & Reached> {
  const { edge, lea, line } = world
  edge.advance(Date.now() - edge.ports.now())
  const { id, x } = await openIdentity(needs, home)
  const record = proxyOf('child', x, edge.ports.now())
  const isKnown = (await edge.ports.proxies.find(id)) !== undefined
  if (record && !isKnown) await addProxy(edge.ports, terminal, record)
  const started = await startReady({
    SALLYPORT_HOME: home,
    SALLYPORT_EDGE_URL: line.url,
    SALLYPORT_PUBLIC_URL: edge.site.origin,
    SALLYPORT_PROXY_TRUST: 'first-use',
  })
  const reached = { ...started, ca: readFileSync(join(home, 'ca.pem'), 'utf8'), identity: { id, boot: '' } }
  const asking = await Tunnel.open(reached)
  const { json } = await asking.discover(lea, edge.ports.now)
  asking.socket.destroy()
  return { ...reached, identity: { id, boot: String(json['boot']) } }
}
