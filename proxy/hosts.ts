/** Which of our names a request's Host is. */
import type { Names } from '../core/issue/x509.ts'

/** `public`: the address that people open. `ours`: this proxy under a name of its own. */
export type HostKind = 'public' | 'ours'

// Anything else could be read in two ways: a host that the URL parser finds behind "@" or before "/" is not the one that was sent.
const plainHost = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/

export function hostsOf(
  names: Names,
  ports: readonly number[],
  publicUrl: URL,
): (host: string) => HostKind | undefined {
  const own = [...names.dns, ...names.addresses.map((address) => (address.includes(':') ? `[${address}]` : address))]
  const ours = new Set([...own, ...own.flatMap((name) => ports.map((port) => `${name}:${port}`))])
  return (given) => {
    const host = given.toLowerCase()
    if (!plainHost.test(host)) return undefined
    if (isPublic(host, publicUrl)) return 'public'
    return ours.has(host) ? 'ours' : undefined
  }
}

/** A client may spell out the port that the scheme has anyway. */
function isPublic(host: string, publicUrl: URL): boolean {
  const url = `${publicUrl.protocol}//${host}`
  return URL.canParse(url) && new URL(url).host === publicUrl.host
}
