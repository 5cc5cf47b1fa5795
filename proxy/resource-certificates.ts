/**
 * The certificate that the proxy shows under the name of a resource: `pg-1.proxy.example.com`. This machine's own authority issues one for
 * exactly that name, since OpenSSL takes no wildcard below a name of one label; an operator's own must speak for it itself.
 */
import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { Lru } from '../core/lib/lru.ts'
import type { Certificates } from './certificates.ts'
import { fixed } from './tls.ts'

export interface ResourceCertificates {
  /** Makes it ready. Whether there is one. */
  prepare(serverName: string): Promise<boolean>
  /** Of a name that was made ready. */
  contextOf(serverName: string): SecureContext | undefined
  /** The proxy's own certificate was renewed, and whatever was issued beside it is of the past. */
  renew(certificate: SecureContextOptions): void
}

/** Each has a key and is a few kilobytes. Names are those of resources, so strangers cannot fill it. */
const mostKept = 512

export function makeResourceCertificates(
  certificates: Pick<Certificates, 'issueFor'>,
  first: SecureContextOptions,
): ResourceCertificates {
  let own = first
  let ready = new Lru<string, SecureContext>(mostKept)
  const optionsFor = async (name: string): Promise<SecureContextOptions | undefined> =>
    certificates.issueFor ? certificates.issueFor(name) : speaksFor(own, name) ? own : undefined
  return {
    prepare: async (name) => {
      if (ready.get(name)) return true
      const kept = ready
      const options = await optionsFor(name)
      if (options) kept.set(name, createSecureContext({ ...fixed, ...options }))
      return options !== undefined
    },
    contextOf: (name) => ready.get(name),
    renew: (certificate) => {
      own = certificate
      ready = new Lru(mostKept)
    },
  }
}

const speaksFor = ({ cert }: SecureContextOptions, name: string): boolean =>
  new X509Certificate(String(cert)).checkHost(name, { subject: 'never' }) !== undefined
