/**
 * Hosts that no document describes, `HOST:PORT`, such as `git.internal:443`: roles name them (host-rule.ts), and a session on one is a session
 * on a resource of the kind `host`. A resource's name is one label and has no port, a host here has two labels or is an address: no text is
 * both. A host of one label is made a resource.
 */
import { type Address, parseAddress } from '../route/address.ts'
import { type Authority, type HostPort, parseHostPort, splitHostPort } from './host-port.ts'

/** Made of what is asked for; nobody wrote it. */
export type HostTarget = {
  readonly kind: 'host'
  readonly metadata: { readonly name: string; readonly labels?: never }
}

/** As a role is asked about it. */
export interface Host extends Authority {
  /** Where it is one itself. */
  readonly address: Address | undefined
}

/** What every wire takes as a name. */
const longest = 256

const isHost = ({ host }: Authority): boolean => /[.:]/.test(host)

/**
 * As somebody types it: in lower case, without the dot of the root, an IPv6 address in its shortest form. What another reader could take
 * for an address in another notation (`0x7f.1`, `2130706433`) is no host.
 */
export function parseHost(text: string): HostPort {
  const parsed = parseHostPort(text.replace(/\.(?=:\d*$)/, ''))
  if (parsed.kind === 'invalid') return parsed
  if (!isHost(splitHostPort(parsed.value)))
    return { kind: 'invalid', why: 'a host of one label is reached as a resource: write its whole name' }
  return parsed.value.length <= longest ? parsed : { kind: 'invalid', why: `longer than ${longest} characters` }
}

/** By its one spelling, which is what is approved and granted. undefined: it has another one, or is none. */
export function hostTarget(name: string): HostTarget | undefined {
  const parsed = parseHost(name)
  return parsed.kind === 'value' && parsed.value === name ? { kind: 'host', metadata: { name } } : undefined
}

/** Of a name as above. */
export function hostOf(name: string): Host {
  const at = splitHostPort(name)
  return { ...at, address: parseAddress(at.host) }
}

/** What a CONNECT asks for: of a resource the port says nothing, of a host it is a part of the name. */
export const targetName = (at: Authority): string => (isHost(at) ? hostInText(at) : at.host)

const hostInText = ({ host, port }: Authority): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
