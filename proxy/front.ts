/** What a listener does with each connection: which first bytes it takes, and whose they are. */
import type { HelloLimits } from '../core/route/hello.ts'
import type { RouteTable } from '../core/route/table.ts'
import { HeaderStage } from './balancer.ts'
import { dispatch, type Taking } from './dispatch.ts'
import type { Exposed } from './exposed.ts'
import {
  HelloStage,
  refusedWires,
  type Silence,
  Sniffing,
  type Stage,
  type Taker,
  type TakingWithoutTls,
  type Wires,
} from './first-bytes.ts'
import type { Listener } from './listeners.ts'
import { peek } from './peek.ts'
import { PlainConnect } from './plain-connect.ts'
import { PlainHttp } from './plain-http.ts'
import type { CloseCode } from './reasons.ts'
import type { Target } from './upstream.ts'

export interface FrontNeeds {
  readonly hello: HelloLimits
  /** As they are now: a connection keeps the rule that it got. */
  readonly table: () => RouteTable<Taking>
  /** The routes without TLS, by name. */
  readonly withoutTls: () => ReadonlyMap<string, TakingWithoutTls>
  /** Answers what Postgres clients say before TLS. */
  readonly postgres: Taker
  /** Whether a CONNECT in the clear leads back here. */
  readonly isOurs: (target: Target, listener: Listener) => boolean
  readonly exposed: Exposed
}

export function makeFront(listener: Listener, needs: FrontNeeds): Taker {
  const first = firstOf(listener, new Front(listener, needs))
  return (connection) => peek(connection, listener.proxyProtocol ? new HeaderStage(connection, first()) : first())
}

/** What stands first on the wire, or behind the balancer's header. */
function firstOf({ protocol, route, onSilence }: Listener, front: Front): () => Stage {
  if (route !== undefined) return () => new Passing(front.toRoute(route), 0)
  const wires = { ...front.refused, ...front.takenBy(protocol) }
  const silence = onSilence && { afterMs: onSilence.afterMs, take: front.toRoute(onSilence.route) }
  return () => new Sniffing(wires, silence)
}

class Front {
  readonly #listener: Listener
  readonly #needs: FrontNeeds

  constructor(listener: Listener, needs: FrontNeeds) {
    this.#listener = listener
    this.#needs = needs
  }

  /** A header may come where one is required, once. */
  get refused() {
    const header = this.#listener.proxyProtocol ? 'proxy_header_twice' : 'proxy_header'
    return { ...refusedWires, 'proxy-v1': header, 'proxy-v2': header } as const
  }

  takenBy(protocol: Listener['protocol']): Pick<Wires, 'tls'> & Partial<Wires> {
    if (protocol === 'ssh') return { tls: 'tls_not_here', ssh: this.ssh }
    if (protocol === 'postgres') return { tls: this.hello, ...this.postgres }
    if (protocol !== undefined) return { tls: this.hello }
    return { tls: this.hello, ...this.postgres, ssh: this.ssh, connect: this.connect, http: this.http }
  }

  get postgres() {
    const take = () => new Passing(this.#needs.postgres)
    return { 'postgres-ssl': take, 'postgres-gssenc': take, 'postgres-cancel': take, 'postgres-startup': take }
  }

  readonly hello = (): Stage =>
    new HelloStage((connection, hello) => dispatch(this.#needs.table(), connection, hello), this.#needs.hello)

  readonly connect = (): Stage =>
    new PlainConnect({
      isOurs: (target) => this.#needs.isOurs(target, this.#listener),
      exposed: this.#needs.exposed,
      // TLS alone: there is no second door behind the first.
      next: () => new Sniffing({ ...refusedWires, tls: this.hello }),
    })

  readonly http = (): Stage => new PlainHttp(this.#needs)

  readonly ssh = (): Stage | CloseCode => {
    for (const { protocol, take } of this.#needs.withoutTls().values()) if (protocol === 'ssh') return new Passing(take)
    return 'plain_ssh'
  }

  /** Looked for when it is wanted: routes may have changed. */
  toRoute(name: string): Taker {
    return (connection) => {
      const route = this.#needs.withoutTls().get(name)
      if (route) route.take(connection)
      else connection.refuse('route_gone', name)
    }
  }
}

/** Whatever comes, or nothing at all where there is no need to wait. */
class Passing implements Stage {
  readonly silence: Silence | undefined
  readonly #take: Taker

  constructor(take: Taker, afterMs?: number) {
    this.#take = take
    this.silence = afterMs === undefined ? undefined : { afterMs, take }
  }

  push(): { readonly kind: 'take'; readonly take: Taker } {
    return { kind: 'take', take: this.#take }
  }
}
