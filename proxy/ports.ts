/** Opens every port of this proxy. One count of places holds for all of them: a stranger has no more by trying another port. */
import { normaliseSni } from '../core/route/name.ts'
import type { RouteTable } from '../core/route/table.ts'
import type { Settings } from './config.ts'
import type { Taking } from './dispatch.ts'
import type { World } from './exchange.ts'
import { type FrontNeeds, makeFront } from './front.ts'
import { type Listening, listen } from './listener.ts'
import type { Listener } from './listeners.ts'
import { ownServerNames } from './routes.ts'
import { makeSlots } from './slots.ts'
import type { Target } from './upstream.ts'

type Needs = Omit<FrontNeeds, 'isOurs'>

/** @throws SetupProblem: then none is open */
export async function openPorts(settings: Settings, world: World, needs: Needs): Promise<Listening> {
  const { limits } = world
  const slots = makeSlots(limits.connections, limits.connectionsOfOneNetwork)
  const front = { ...needs, isOurs: ours(settings, needs.table) }
  const open: Listening[] = []
  const stop = async () => void (await Promise.all(open.map((one) => one.stop())))
  for (const listener of settings.listeners) {
    try {
      open.push(await listen(listener, world, slots, makeFront(listener, front)))
    } catch (error) {
      await stop()
      throw error
    }
  }
  return { stop }
}

/** The numbers of all of them: what is not dialled at this machine. */
export const portsOf = ({ listeners }: Pick<Settings, 'listeners'>): ReadonlySet<number> =>
  new Set(listeners.map(({ port }) => port))

/**
 * A name of the proxy or one below it, as resources have; or one that a route takes. It opens nothing that the port itself does not, so it
 * says nothing of which resources there are.
 */
export function ours(settings: Settings, table: () => RouteTable<Taking>): FrontNeeds['isOurs'] {
  const { publicUrl, names } = settings
  const own = ownServerNames(settings)
  const publicPort = Number(publicUrl.port || (publicUrl.protocol === 'https:' ? 443 : 80))
  const isName = ({ host }: Target): boolean => {
    const name = normaliseSni(host) ?? ''
    const isBelow = own.has(name.slice(name.indexOf('.') + 1))
    if (own.has(name) || isBelow || names.addresses.includes(host)) return true
    const routed = table().match({ sni: name, alpn: [] })
    return routed.kind === 'route' || routed.why !== 'no_route_for_sni'
  }
  return (target: Target, { port }: Listener) => (target.port === port || target.port === publicPort) && isName(target)
}
