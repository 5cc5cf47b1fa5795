/**
 * The certificate that the proxy shows under the name of a resource: `pg-1.proxy.example.com`. One that an operator has for it, or else what
 * this machine's own authority issues for exactly that name, since OpenSSL takes no wildcard below a name of one label.
 */
import { Lru } from '../core/lib/lru.ts'
import type { ServerCertificate } from './certificates.ts'
import type { OwnCertificates } from './own-certificates.ts'

export interface ResourceCertificates {
  /** undefined: none can be shown. */
  certificateFor(serverName: string): Promise<ServerCertificate | undefined>
  /** The proxy's own certificate was renewed, and whatever was issued beside it is of the past. */
  renew(): void
}

/** Each has a key and is a few kilobytes. Names are those of resources, so strangers cannot fill it. */
const mostKept = 512

export function makeResourceCertificates({
  certificates,
  certificateFor,
}: Pick<OwnCertificates, 'certificates' | 'certificateFor'>): ResourceCertificates {
  let issued = new Lru<string, ServerCertificate>(mostKept)
  return {
    certificateFor: async (name) => {
      const known = (await certificateFor(name)) ?? issued.get(name)
      if (known) return known
      const kept = issued
      const made = await certificates.issueFor?.(name)
      if (made) kept.set(name, made)
      return made
    },
    renew: () => {
      issued = new Lru(mostKept)
    },
  }
}
