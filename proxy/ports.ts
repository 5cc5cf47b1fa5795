/** Opens every port of this proxy. One count of places holds for all of them: a stranger has no more by trying another port. */
import type { Duration } from '../core/model.ts'
import type { HelloLimits } from '../core/route/hello.ts'
import { normaliseSni } from '../core/route/name.ts'
import type { RouteTable } from '../core/route/table.ts'
import type { Cancels } from './cancels.ts'
import type { Settings } from './config.ts'
import { dispatch, type Taking } from './dispatch.ts'
import type { World } from './exchange.ts'
import type { Exposed } from './exposed.ts'
import { HelloStage, refusedWires, Sniffing, type Stage } from './first-bytes.ts'
import { type FrontNeeds, makeFront } from './front.ts'
import { type Listening, listen } from './listener.ts'
import type { Listener } from './listeners.ts'
import { peek } from './peek.ts'
import { makePostgresFront } from './postgres-front.ts'
import { ownServerNames } from './routes.ts'
import type { Routing } from './routing.ts'
import { makeSlots } from './slots.ts'
import type { Target } from './upstream.ts'

/** What holds at the moment. */
type Current = Pick<Routing, 'table' | 'secured' | 'withoutTls' | 'isOurs'>

interface Needs {
  /** As it is at the moment. */
  readonly current: () => Current
  readonly cancels: Pick<Cancels, 'take'>
  readonly hello: HelloLimits
  readonly exposed: Exposed
}

/** @throws SetupProblem: then none is open */
export async function openPorts(
  listeners: readonly Listener[],
  world: World,
  { current, cancels, hello, exposed }: Needs,
): Promise<Listening> {
  const { limits } = world
  const slots = makeSlots(limits.connections, limits.connectionsOfOneNetwork)
  const front: FrontNeeds = {
    hello,
    table: () => current().table,
    withoutTls: () => current().withoutTls,
    postgres: makePostgresFront({ cancels, secured: (connection) => peek(connection, securedHello(current, hello)) }),
    isOurs: (target, listener) => current().isOurs(target, listener),
    exposed,
  }
  const open: Listening[] = []
  const stop = async (grace: Duration) => void (await Promise.all(open.map((one) => one.stop(grace))))
  for (const listener of listeners) {
    try {
      open.push(await listen(listener, world, slots, makeFront(listener, front)))
    } catch (error) {
      await stop(0)
      throw error
    }
  }
  return { stop }
}

/** Behind a Postgres client's request for TLS, which must follow. */
const securedHello = (current: () => Current, limits: HelloLimits): Stage =>
  new Sniffing({
    ...refusedWires,
    tls: () => new HelloStage((connection, read) => dispatch(current().secured, connection, read), limits),
  })

/** The numbers of all of them: what is not dialled at this machine. */
export const portsOf = ({ listeners }: Pick<Settings, 'listeners'>): ReadonlySet<number> =>
  new Set(listeners.map(({ port }) => port))

/**
 * A name of the proxy or one below it, as resources have; or one that a route takes. It opens nothing that the port itself does not, so it
 * says nothing of which resources there are.
 */
export function ours(settings: Settings, table: RouteTable<Taking>): FrontNeeds['isOurs'] {
  const { publicUrl, names } = settings
  const own = ownServerNames(settings)
  const publicPort = Number(publicUrl.port || (publicUrl.protocol === 'https:' ? 443 : 80))
  const isName = ({ host }: Target): boolean => {
    const name = normaliseSni(host) ?? ''
    const isBelow = own.has(name.slice(name.indexOf('.') + 1))
    if (own.has(name) || isBelow || names.addresses.includes(host)) return true
    const routed = table.match({ sni: name, alpn: [] })
    return routed.kind === 'route' || routed.why !== 'no_route_for_sni'
  }
  return (target: Target, { port }: Listener) => (target.port === port || target.port === publicPort) && isName(target)
}
