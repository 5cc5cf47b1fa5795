/** Where a client reaches a resource with no helper: below the proxy's name, which the proxy's certificate speaks for. */
import { isIP } from 'node:net'
import { localHost } from '../proxy/local.ts'
import { isLoopback, parseAddress } from './address.ts'
import { keepAuthority } from './db-certificate.ts'
import { Problem } from './problem.ts'
import type { Profile } from './profiles.ts'

export interface Reached {
  /** `NAME.PROXY`. */
  readonly name: string
  /** What is dialled: not every resolver knows that what lies below localhost is this machine (RFC 6761). */
  readonly address: string
  readonly isHere: boolean
  readonly port: number
  /** What the client must trust. undefined: the roots of the system. */
  readonly authority: string | undefined
}

/** @throws Problem where the proxy is known by an address alone */
export function whereIs(name: string, profile: string, { proxy, ca }: Profile): Reached {
  const { host, port } = parseAddress(proxy)
  const isHere = isLoopback({ host, port })
  if (isIP(host) !== 0 && !isHere) {
    throw new Problem(
      'failed',
      `the proxy is known here by its address ${host} alone, and resources are reached by a name below its own`,
      'sallyport login with the name of the proxy',
    )
  }
  const below = `${name}.${isHere ? 'localhost' : host}`
  const address = isHere ? (isIP(host) === 0 ? localHost : host) : below
  return { name: below, address, isHere, port, authority: ca === undefined ? undefined : keepAuthority(profile, ca) }
}
