/** The reader of `hosts` in a role: strict, because a rule that is read in two ways is a hole. */
import type { Json } from '../intent.ts'
import { type Address, type AddressClass, type Cidr, classify, isWithin, specialRanges } from '../route/address.ts'
import { fields, optional, type Read, refined, tellExpected } from './fields.ts'
import { parseHostName } from './host-port.ts'
import { type HostRule, isPort, isRange, networkInText, parseNetwork, parsePortRange, type Side } from './host-rule.ts'
import { into, type Place, quoted, tell } from './place.ts'
import { listOfMaps } from './rule.ts'
import { anyText } from './text.ts'

const mostRules = 256
const mostPorts = 64
const mostNetworks = 64
const anyName = '*'

/** What is at the other end of no connection. */
const noHost: ReadonlySet<AddressClass> = new Set(['unspecified', 'multicast'])

/** Of the rules that allow: ports are named, and of addresses only what somebody must have meant. */
export const hostRules = (side: Side): Read<readonly HostRule[]> =>
  listOfMaps(ruleOf(side), 'hosts, each with name and ports', mostRules)

const ruleOf = (side: Side): Read<HostRule> =>
  refined(
    fields<HostRule>('a host', {
      name: name(side),
      ports: side === 'allow' ? ports : optional(ports),
      networks: optional(networks(side)),
    }),
    (rule, place) => {
      if (rule.networks === undefined || rule.name === undefined || !isRange(rule.name)) return rule
      return tell(into(place, 'networks'), 'the name is an address, which says where it lies: leave networks out')
    },
  )

const name = (side: Side): Read<string> =>
  refined(anyText, (written, place) => {
    const mistake = whyNoNameAlone(written)
    if (mistake !== undefined) return tell(place, `${quoted(written)}: ${mistake}`)
    if (isRange(written)) return range(side, written, place)
    const text = written.toLowerCase()
    const why = text === anyName ? undefined : whyNoName(text)
    return why === undefined ? text : tell(place, `${quoted(written)}: ${why}`)
  })

function whyNoNameAlone(text: string): string | undefined {
  if (text.includes('://') || text.includes('@')) return 'expected a name alone, such as git.example.com'
  if (/^[^:]+:\d+$/.test(text)) return 'leave out the port, `ports` lists them'
  return text.startsWith('[') ? 'leave out the brackets around an IPv6 address' : undefined
}

function whyNoName(text: string): string | undefined {
  const bare = text.startsWith('*.') ? text.slice(2) : text
  if (bare.includes('*')) return 'a wildcard stands for whole labels in front: `*.example.com`'
  if (text.endsWith('.')) return 'leave out the dot at its end'
  if (/[^\x20-\x7e]/.test(text)) return 'write a name with other letters as DNS has it: `xn--...`'
  if (parseHostName(bare) === undefined)
    return 'expected a name such as git.example.com or *.example.com, or an address'
  return bare.includes('.') || text !== bare
    ? undefined
    : 'a host of one label is reached as a resource: write its whole name, or a document for it'
}

/** In the shortest form; of what is allowed, nothing that holds addresses of several kinds. */
function range(side: Side, written: string, place: Place): string | undefined {
  const network = parseNetwork(written.toLowerCase())
  if (network === undefined || network === 'public')
    return tell(place, `${quoted(written)}: expected an address such as 10.0.0.5, or a range such as 10.0.0.0/8`)
  const why = side === 'allow' ? whyNotNamed(network) : undefined
  return why === undefined ? networkInText(network) : tell(place, `${quoted(written)} ${why}`)
}

function whyNotNamed(network: Cidr): string | undefined {
  const isMixed = specialRanges.some(({ range: one, name: of }) => of !== 'metadata' && isInside(one, network))
  if (isMixed)
    return 'holds addresses of several kinds: name each range that is meant, and write `public` for the internet'
  const kind = classify(network.base)
  return noHost.has(kind) ? `holds ${kind} addresses, which are no host's` : undefined
}

const isInside = (inner: Cidr, outer: Cidr): boolean =>
  inner.bits > outer.bits && isWithin(inner.base as Address, outer)

const networks = (side: Side): Read<readonly string[]> => {
  const one: Read<string> = refined(anyText, (written, place) =>
    written === 'public' ? written : range(side, written, place),
  )
  return listed(one, mostNetworks, 'networks', 'expected at least one: left out, it is `public`')
}

/** A number, or a range of them. */
function port(json: Json | undefined, place: Place): number | string | undefined {
  if (isPort(json)) return json
  if (typeof json === 'number') return tell(place, `${json}: expected a port from 1 to 65535`)
  if (typeof json !== 'string') return tellExpected(json, place, 'a port, or a range such as 8000-8080')
  if (/^[1-9]\d{0,4}$/.test(json) && isPort(Number(json))) return Number(json)
  const ends = parsePortRange(json)
  return ends ? json : tell(place, `${quoted(json)}: expected a port from 1 to 65535, or a range such as 8000-8080`)
}

const ports: Read<readonly (number | string)[]> = listed<number | string>(
  port,
  mostPorts,
  'ports',
  'expected at least one port',
)

/** What stands twice counts once; a list that is there is not empty. */
function listed<T>(read: Read<T>, most: number, what: string, whyEmpty: string): Read<readonly T[]> {
  return (json, place) => {
    if (!Array.isArray(json)) return tellExpected(json, place, `a list of ${what}`)
    if (json.length > most) return tell(place, `${json.length} entries: at most ${most}`)
    if (json.length === 0) return tell(place, whyEmpty)
    const entries = (json as readonly Json[]).map((entry, at) => read(entry, into(place, at)))
    return [...new Set(entries.filter((entry) => entry !== undefined))]
  }
}
