/** `listen` and `listeners` of proxy.yaml: the ports, and what is wrong with one or between two. */
import { isIP } from 'node:net'
import { parseDuration } from '../core/access/duration.ts'
import { fields, listOf, oneOf, optional, type Read, refined, tellExpected } from '../core/access/fields.ts'
import { into, type Place, quoted, tell } from '../core/access/place.ts'
import { anyText } from '../core/access/text.ts'
import type { Json } from '../core/intent.ts'
import { type Duration, seconds } from '../core/model.ts'
import { type Cidr, parseAddress, parseCidr, unwrap } from '../core/route/address.ts'
import { loopback } from './config.ts'
import { type Listener, type ListenerProtocol, listenerProtocols, mainName } from './listeners.ts'
import { protocolWithoutTls } from './routes.ts'

interface PortEntry {
  readonly hosts?: readonly string[]
  readonly port: number
  readonly proxy_protocol?: 'off' | 'require'
  readonly trusted?: readonly Cidr[]
  readonly on_silence?: { readonly after: Duration; readonly route: string }
}

export type ListenEntry = PortEntry

export interface ListenerEntry extends PortEntry {
  readonly name: string
  readonly protocol?: ListenerProtocol
  readonly route?: string
}

const mostListeners = 64
const mostRanges = 64
/** Less than the deadline of a handshake, with room for what follows. */
const longestSilence = seconds(5)

export const port: Read<number> = (json, place) => {
  if (typeof json !== 'number') return tellExpected(json, place, 'a port')
  return Number.isInteger(json) && json > 0 && json <= 65_535
    ? json
    : tell(place, `${json}: expected a port from 1 to 65535`)
}

const host: Read<string> = refined(anyText, (text, place) =>
  isIP(text) === 0
    ? tell(place, `${quoted(text)}: expected an address of this machine, such as 0.0.0.0`)
    : new URL(`http://${isIP(text) === 6 ? `[${text}]` : text}`).hostname.replace(/^\[|\]$/g, ''),
)

const hosts: Read<readonly string[]> = refined(listOf(host, 64), (list, place) =>
  list.length > 0 ? list : tell(place, 'expected at least one'),
)

/** Everybody is no range: then everybody could say to be anybody. */
function rangeOf(text: string, place: Place): Cidr | undefined {
  const address = parseAddress(text)
  const range = address ? { base: unwrap(address), bits: unwrap(address).length * 8 } : parseCidr(text)
  if (!range) return tell(place, `${quoted(text)}: expected an address or a range, such as 10.0.0.0/8`)
  return range.bits > 0 ? range : tell(place, `${quoted(text)}: anybody could say to be anybody: name the balancers`)
}

const ranges: Read<readonly Cidr[]> = (json, place) => {
  if (!Array.isArray(json) || json.length === 0) return tellExpected(json, place, 'a list of addresses and ranges')
  if (json.length > mostRanges) return tell(place, `${json.length} entries: at most ${mostRanges}`)
  return json.flatMap((entry: Json, at) => {
    const text = anyText(entry, into(place, at))
    return (text === undefined ? undefined : rangeOf(text, into(place, at))) ?? []
  })
}

const silence: Read<Duration> = refined(anyText, (text, place) => {
  const duration = parseDuration(text)
  return duration !== undefined && duration >= seconds(1) && duration <= longestSilence
    ? duration
    : tell(place, `${quoted(text)}: expected a duration from 1s to ${longestSilence / seconds(1)}s`)
})

const onSilence = fields<NonNullable<PortEntry['on_silence']>>('on_silence', { after: silence, route: anyText })

const common = {
  hosts: optional(hosts),
  port,
  proxy_protocol: optional(oneOf('off', 'require')),
  trusted: optional(ranges),
  on_silence: optional(onSilence),
}

const listenerName: Read<string> = refined(anyText, (text, place) =>
  /^[a-z0-9][a-z0-9._-]{0,62}$/.test(text)
    ? text
    : tell(place, 'expected 1 to 63 letters in lower case, digits, dots, hyphens and underscores'),
)

export const listenEntry: Read<ListenEntry> = fields<ListenEntry>('listen', common)

const entry: Read<ListenerEntry> = fields<ListenerEntry>('listener', {
  name: listenerName,
  ...common,
  protocol: optional(oneOf(...listenerProtocols)),
  route: optional(anyText),
})

/** Keeps each where it stands, so that what is found later is told at its own line. */
export const listenerEntries: Read<readonly ListenerEntry[]> = (json, place) => {
  if (!Array.isArray(json)) return tellExpected(json, place, 'a list of listeners')
  if (json.length > mostListeners) return tell(place, `${json.length} entries: at most ${mostListeners}`)
  const entries = json.map((one: Json, at) => entry(one, into(place, at)))
  return entries.every((one) => one !== undefined) ? (entries as ListenerEntry[]) : undefined
}

export const listenersOf = (listen: ListenEntry, further: readonly ListenerEntry[]): readonly Listener[] => [
  listenerOf({ ...listen, name: mainName }),
  ...further.map(listenerOf),
]

const listenerOf = (read: ListenerEntry): Listener => ({
  name: read.name,
  hosts: read.hosts ?? loopback,
  port: read.port,
  proxyProtocol: read.proxy_protocol === 'require' ? { trusted: read.trusted ?? [] } : undefined,
  protocol: read.protocol,
  route: read.route,
  onSilence: read.on_silence && { afterMs: read.on_silence.after, route: read.on_silence.route },
})

interface Ports {
  readonly listen: ListenEntry
  readonly listeners?: readonly ListenerEntry[]
  readonly admin_port?: number
}

/** `place`: of the file. */
export function checkListeners({ listen, listeners = [], admin_port }: Ports, place: Place): void {
  const all = [listen as Partial<ListenerEntry> & ListenEntry, ...listeners]
  const places = [into(place, 'listen'), ...listeners.map((_, at) => into(into(place, 'listeners'), at))]
  all.forEach((one, at) => {
    const [here, before] = [places[at] as Place, all.slice(0, at)]
    checkHeader(one, here)
    checkProtocol(one, here)
    if (one.name === mainName || before.some(({ name }) => name !== undefined && name === one.name))
      tell(into(here, 'name'), `another listener is named ${quoted(one.name ?? '')}`)
    if (before.some((other) => areOne(one, other)))
      tell(into(here, 'port'), `another listener has port ${one.port} of this address`)
    if (one.port === admin_port) tell(into(here, 'port'), `${one.port} is admin_port`)
  })
}

const anyHost = new Set(['0.0.0.0', '::'])

/** One of them on all addresses of the machine takes the port from the other. */
function areOne(a: PortEntry, b: PortEntry): boolean {
  const [ofA, ofB] = [a.hosts ?? loopback, b.hosts ?? loopback]
  return a.port === b.port && ofA.some((one) => ofB.includes(one) || [...ofB, one].some((host) => anyHost.has(host)))
}

function checkHeader({ proxy_protocol, trusted }: PortEntry, place: Place): void {
  const isRequired = proxy_protocol === 'require'
  if (isRequired && trusted === undefined)
    tell(into(place, 'trusted'), 'missing: expected the addresses of the balancers whose headers are believed')
  if (!isRequired && trusted !== undefined)
    tell(into(place, 'trusted'), 'says nothing without `proxy_protocol: require`')
}

const passesAll = (protocol: ListenerProtocol | undefined): boolean => protocol === 'mysql' || protocol === 'tcp'

function checkProtocol({ protocol, route, on_silence }: Partial<ListenerEntry>, place: Place): void {
  if (passesAll(protocol) && route === undefined)
    tell(into(place, 'route'), `missing: expected the route that takes what comes for ${protocol}`)
  if (!passesAll(protocol) && route !== undefined)
    tell(into(place, 'route'), 'is for listeners of mysql and tcp: elsewhere the first bytes say where they go')
  if (on_silence && protocol !== undefined && protocol !== 'ssh')
    tell(into(place, 'on_silence'), `nobody is waited for where the protocol is ${protocol}`)
}

interface Routes {
  readonly listeners: readonly Listener[]
  readonly routes: readonly { readonly name: string; readonly protocol?: string | undefined }[]
}

/** Each route that a listener names is one without TLS. `place`: of the file. */
export function checkTheirRoutes({ listeners, routes }: Routes, place: Place): void {
  listeners.forEach(({ route, onSilence: rule }, at) => {
    const here = at === 0 ? into(place, 'listen') : into(into(place, 'listeners'), at - 1)
    if (route !== undefined) checkNamed(route, routes, into(here, 'route'))
    if (rule) checkNamed(rule.route, routes, into(into(here, 'on_silence'), 'route'))
  })
}

function checkNamed(name: string, routes: Routes['routes'], place: Place): void {
  const route = routes.find((one) => one.name === name)
  if (!route) tell(place, `no route is named ${quoted(name)}`)
  else if (protocolWithoutTls(route) === undefined)
    tell(place, `${quoted(name)} is a route of TLS: expected one with \`protocol: tcp\`, mysql or ssh`)
}
