/** Which backend of a route gets a connection: those that are up, in the order in which they are tried. */
import type { Backend, Health, HealthCheck } from './health.ts'

export const balances = ['first', 'round_robin', 'least_connections'] as const
/** `first`: as they stand in the file, so that the others take over only where it is gone. */
export type Balance = (typeof balances)[number]

export interface Balanced {
  readonly name: string
  /** `HOST:PORT`. */
  readonly backends: readonly string[]
  readonly balance: Balance
  /** Undefined: all of them count as up, and whoever is not there is found out by each connection. */
  readonly health: HealthCheck | undefined
}

export interface Choice {
  readonly backends: readonly Backend[]
  /** Of one connection. None: every one of them is down. */
  order(): readonly Backend[]
  /** They are looked at no more. */
  rest(): void
}

export function makeChoice({ backends: uris, balance, health: check }: Balanced, health: Health): Choice {
  const backends = uris.map((uri) => health.of(uri, check))
  let turn = 0
  const orders: { readonly [balance in Balance]: (up: readonly Backend[]) => readonly Backend[] } = {
    first: (up) => up,
    round_robin: (up) => inTurn(up, turn++),
    // Among equals in turn: else the first would get whatever comes while all stand still.
    least_connections: (up) => inTurn(up, turn++).toSorted((a, b) => a.open - b.open),
  }
  return {
    backends,
    order: () => orders[balance](backends.filter(({ isUp }) => isUp)),
    rest: () => {
      for (const backend of backends) backend.release()
    },
  }
}

function inTurn<T>(list: readonly T[], turn: number): readonly T[] {
  const from = list.length === 0 ? 0 : turn % list.length
  return [...list.slice(from), ...list.slice(0, from)]
}
