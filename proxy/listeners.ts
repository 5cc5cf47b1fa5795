/** The ports of this proxy, as its settings say them. */
import { type Cidr, isWithin, parseAddress, unwrap } from '../core/route/address.ts'

/** `tls`, `ssh` and `postgres`: nothing else is taken. `mysql` and `tcp`: nothing is looked at, all goes to the listener's route. */
export const listenerProtocols = ['tls', 'ssh', 'postgres', 'mysql', 'tcp'] as const
export type ListenerProtocol = (typeof listenerProtocols)[number]

export interface Listener {
  /** In problems and logs. */
  readonly name: string
  readonly hosts: readonly string[]
  readonly port: number
  /** Its own header comes first on every connection, and from these ranges alone. undefined: none may come. */
  readonly proxyProtocol: { readonly trusted: readonly Cidr[] } | undefined
  /** undefined: whatever this proxy speaks. */
  readonly protocol: ListenerProtocol | undefined
  /** Of `mysql` and `tcp`: the name of a route without TLS. */
  readonly route: string | undefined
  /** Whose a client is that waits for the server to speak. undefined: nobody's. */
  readonly onSilence: { readonly afterMs: number; readonly route: string } | undefined
}

/** Of the first. */
export const mainName = 'listen'

/** Where only a port is named. */
export const plainListener = (hosts: readonly string[], port: number): Listener => ({
  name: mainName,
  hosts,
  port,
  proxyProtocol: undefined,
  protocol: undefined,
  route: undefined,
  onSilence: undefined,
})

/** An address in IPv6 form counts as the one inside, as do ranges (core/route/address.ts). */
export function isOf(address: string, ranges: readonly Cidr[]): boolean {
  const parsed = parseAddress(address.split('%', 1)[0] as string)
  const inner = parsed && unwrap(parsed)
  return inner !== undefined && ranges.some((range) => isWithin(inner, range))
}
