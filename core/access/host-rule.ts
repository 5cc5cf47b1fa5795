/**
 * What a role says of hosts that are no resources: which names or addresses, on which ports, and in which networks the address that is dialled
 * may lie. A name is judged when somebody asks, the address once the proxy has resolved it, by the same rules.
 */
import {
  type Address,
  type Cidr,
  classify,
  formatAddress,
  isWithin,
  parseAddress,
  parseCidr,
  unwrap,
} from '../route/address.ts'
import type { Host } from './host-target.ts'

/**
 * `name`: `git.example.com`; `*.example.com`, which stands for one label or more; `*`; an address; or a range of addresses. `ports`: numbers,
 * and ranges such as `8000-8080`. `networks`: addresses, ranges, and `public`, which is all that the whole internet reaches.
 *
 * Of what is allowed `networks` says where the host may lie: left out, it is `public`, or the address that is the name. Of what is denied:
 * left out, wherever it lies; and a denied address or range is denied to every name that leads there. Ports left out, which a denial may:
 * all of them.
 */
export type HostRule = {
  readonly name: string
  readonly ports?: readonly (number | string)[]
  readonly networks?: readonly string[]
}

export type Side = 'allow' | 'deny'

export type Network = 'public' | Cidr

/** Of one host: where it may be dialled, as texts, in one order. */
export interface Networks {
  readonly allowed: readonly string[]
  readonly denied: readonly string[]
}

/** An address is the range of itself. */
export function parseNetwork(text: string): Network | undefined {
  if (text === 'public') return text
  const address = parseAddress(text)
  return address ? parseCidr(`${text}/${address.length * 8}`) : parseCidr(text)
}

export const isPort = (json: unknown): json is number =>
  typeof json === 'number' && Number.isInteger(json) && json >= 1 && json <= 65_535

/** `8000-8080`: two ports, the lower one first. */
export function parsePortRange(text: string): readonly [number, number] | undefined {
  const [, from, to] = /^([1-9]\d{0,4})-([1-9]\d{0,4})$/.exec(text)?.map(Number) ?? []
  return isPort(from) && isPort(to) && from < to ? [from, to] : undefined
}

/** Of a name: it is an address or a range. No host's name has a slash or a colon, and none ends in a number. */
export const isRange = (name: string): boolean => /[/:]|(?:^|\.)\d+$/.test(name)

/** A rule as it is judged by. */
interface Ready {
  readonly name: string
  /** Where the name is an address or a range. */
  readonly range: Cidr | undefined
  readonly ports: readonly (readonly [number, number])[] | undefined
  readonly networks: readonly Network[] | undefined
}

const members = new Set(['name', 'ports', 'networks'])

/** undefined: it says something that this version does not know, so nobody may go by half of it. */
function readyOf(rule: HostRule): Ready | undefined {
  const { name, ports, networks } = rule
  if (!Object.keys(rule).every((one) => members.has(one)) || typeof name !== 'string') return undefined
  const read = ports?.map((one) => (isPort(one) ? ([one, one] as const) : parsePortRange(String(one))))
  const where = networks?.map(parseNetwork)
  if (read?.includes(undefined) || where?.includes(undefined)) return undefined
  const range = isRange(name) ? parseNetwork(name) : undefined
  if (range === 'public' || (isRange(name) && !range)) return undefined
  return {
    name,
    range,
    ports: read as Ready['ports'],
    networks: where as Ready['networks'],
  }
}

const remembered = new WeakMap<HostRule, { readonly ready: Ready | undefined }>()

function ready(rule: HostRule): Ready | undefined {
  const known = remembered.get(rule)
  if (known) return known.ready
  const made = readyOf(rule)
  remembered.set(rule, { ready: made })
  return made
}

const hasPort = ({ ports }: Ready, port: number): boolean =>
  ports === undefined || ports.some(([from, to]) => port >= from && port <= to)

/** An address within another one counts as the one inside. */
function isNamed({ name, range }: Ready, { host, address }: Host): boolean {
  if (name === '*') return true
  if (address) return range !== undefined && isWithin(unwrap(address), range)
  return name === host || (name.startsWith('*.') && host.endsWith(name.slice(1)))
}

/** Of what no version of a host is dialled at. */
const never: ReadonlySet<string> = new Set(['unspecified', 'multicast'])

/** Of an allowance: a cloud's metadata service hands out credentials, so it is meant only where it is named alone. */
function liesIn(address: Address, network: Network): boolean {
  const inner = unwrap(address)
  const kind = classify(inner)
  if (network === 'public' || never.has(kind)) return kind === 'public'
  return isWithin(inner, network) && (kind !== 'metadata' || network.bits === inner.length * 8)
}

/** Of a denial: by the address as it is written, and by the one inside. */
function isDenied(address: Address, network: Network): boolean {
  const inner = unwrap(address)
  if (network === 'public') return classify(inner) === 'public'
  return isWithin(inner, network) || isWithin(address, network)
}

const networksOf = ({ networks, range }: Ready): readonly Network[] => networks ?? (range ? [range] : ['public'])

/** The rule that allows this host, by its place; -1: none. Of a name it is not yet known where it lies. */
export function allowing(rules: readonly HostRule[] | undefined, host: Host): number {
  const { port, address } = host
  return (rules ?? []).findIndex((rule) => {
    const made = ready(rule)
    if (!made?.ports || !hasPort(made, port) || !isNamed(made, host)) return false
    return address === undefined || networksOf(made).some((network) => liesIn(address, network))
  })
}

/** The rule that denies this host wherever it lies, by its place; -1: none. What cannot be read denies everything. */
export function denying(rules: readonly HostRule[] | undefined, host: Host): number {
  const { port, address } = host
  return (rules ?? []).findIndex((rule) => {
    const made = ready(rule)
    if (!made) return true
    if (!hasPort(made, port) || !(made.range ?? isNamed(made, host))) return false
    const where = deniedBy(made)
    return where === undefined || (address !== undefined && where.some((network) => isDenied(address, network)))
  })
}

/** undefined: wherever it lies. */
const deniedBy = ({ range, networks }: Ready): readonly Network[] | undefined => (range ? [range] : networks)

/** What a rule that names the host lacks to allow it, in words; undefined: none names it. */
export function lacking(rules: readonly HostRule[] | undefined, host: Host): string | undefined {
  const near = (rules ?? []).map((rule) => {
    const made = ready(rule)
    if (!made?.ports || !isNamed(made, host)) return undefined
    return hasPort(made, host.port) ? 'not its network' : `not port ${host.port}`
  })
  const at = near.findIndex((one) => one !== undefined)
  return at < 0 ? undefined : `allow.hosts[${at}] names it, and ${near[at]}`
}

interface Saying {
  readonly spec: { readonly [S in Side]: { readonly hosts?: readonly HostRule[] } }
}

/** Where this host may be dialled: wherever one of `reaching` allows it, and where none of `held` denies it. */
export function networksFor(reaching: readonly Saying[], held: readonly Saying[], host: Host): Networks {
  const rulesOf = (roles: readonly Saying[], side: Side) =>
    roles
      .flatMap(({ spec }) => spec[side].hosts ?? [])
      .flatMap((rule) => ready(rule) ?? [])
      .filter((rule) => hasPort(rule, host.port))
  const allowed = rulesOf(reaching, 'allow').filter((rule) => rule.ports && isNamed(rule, host))
  const denied = rulesOf(held, 'deny').filter((rule) => rule.range || isNamed(rule, host))
  return {
    allowed: inText(allowed.flatMap(networksOf)),
    denied: inText(denied.flatMap((rule) => deniedBy(rule) ?? [])),
  }
}

const inText = (networks: readonly Network[]): readonly string[] => [...new Set(networks.map(networkInText))].sort()

/** In its shortest form; an address alone without a length. */
export function networkInText(network: Network): string {
  if (network === 'public') return network
  const { base, bits } = network
  return bits === base.length * 8 ? formatAddress(base) : `${formatAddress(base)}/${bits}`
}

/** Of the very address that is to be dialled. What cannot be read allows nothing and denies everything. */
export function mayReach(address: Address, { allowed, denied }: Networks): boolean {
  const isBarred = denied.some((text) => {
    const network = parseNetwork(text)
    return network === undefined || isDenied(address, network)
  })
  if (isBarred) return false
  return allowed.some((text) => {
    const network = parseNetwork(text)
    return network !== undefined && liesIn(address, network)
  })
}

/** Such as `*.example.com:443,8000-8080`; of an IPv6 address in brackets. */
export function hostInWords({ name, ports }: HostRule): string {
  const host = name.includes(':') ? `[${name}]` : name
  return ports ? `${host}:${ports.join(',')}` : host
}
