/** `HOST:PORT` as documents name a service: a host name, an IPv4 address, or an IPv6 address in brackets. */

const hostLabel = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const octet = /^(?:0|[1-9]\d{0,2})$/
const ipv6 = /^\[[0-9a-f:.]{2,45}\]$/
const longestName = 253

/** A host name in lower case. A number at its end makes it an address to some readers, so then it must be a whole one. */
export function parseHostName(text: string): string | undefined {
  const name = text.toLowerCase()
  const parts = name.split('.')
  if (name.length > longestName || !parts.every((part) => hostLabel.test(part))) return undefined
  const endsInNumber = /^(?:\d+|0x[0-9a-f]*)$/.test(parts.at(-1) ?? '')
  return endsInNumber && !isIpv4(parts) ? undefined : name
}

const isIpv4 = (parts: readonly string[]): boolean =>
  parts.length === 4 && parts.every((part) => octet.test(part) && Number(part) <= 255)

/** The shortest form (RFC 5952), with its brackets. */
function parseIpv6(text: string): string | undefined {
  const address = `http://${text.toLowerCase()}`
  return ipv6.test(text.toLowerCase()) && URL.canParse(address) ? new URL(address).hostname : undefined
}

const parseHost = (text: string): string | undefined => (text.startsWith('[') ? parseIpv6(text) : parseHostName(text))

export type HostPort = { kind: 'value'; value: string } | { kind: 'invalid'; why: string }

const invalid = (why: string): HostPort => ({ kind: 'invalid', why })

/** The canonical text, or what is wrong with this one. */
export function parseHostPort(text: string): HostPort {
  if (text.includes('://')) return invalid('leave out the scheme: expected HOST:PORT')
  if (text.includes('@')) return invalid('leave out the user: expected HOST:PORT')
  if (/[/?#]/.test(text)) return invalid('leave out the path: expected HOST:PORT')
  const colon = text.lastIndexOf(':')
  const [host, port] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)]
  if (host.includes(':') && !host.startsWith('['))
    return invalid('expected an IPv6 address in brackets: [ADDRESS]:PORT')
  const name = parseHost(host)
  if (name === undefined) return invalid('expected HOST:PORT, such as db.example.com:5432')
  const isPort = /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535
  return isPort
    ? { kind: 'value', value: `${name}:${port}` }
    : invalid('expected a port from 1 to 65535 after the host')
}

export interface Authority {
  /** An IPv6 address stands without brackets. */
  readonly host: string
  readonly port: number
}

/** Of a text that `parseHostPort` has made canonical. */
export function splitHostPort(canonical: string): Authority {
  const colon = canonical.lastIndexOf(':')
  return { host: canonical.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(canonical.slice(colon + 1)) }
}
