/** Registering proxies: on the edge's own machine, or from elsewhere by the operator, who proves that he holds `SALLYPORT_KEY`. */
import { recordingRefusals } from '../audit.ts'
import { canonicalJson } from '../intent.ts'
import { type Bytes, base64url, fromBase64url } from '../lib/bytes.ts'
import { hmac, hmacIsRight, type MacKey } from '../lib/hash.ts'
import { isCoordinate } from '../lib/jwk.ts'
import { type Asking, minutes, type Site, seconds } from '../model.ts'
import type { Ports } from '../ports.ts'
import type { ProxyRecord } from '../proxy-ports.ts'
import { proxyIdOf, proxyJwk } from '../proxy-proof.ts'
import { Refusal } from '../refusal.ts'

const nameForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** undefined: no name or no Ed25519 public key of a form that can be registered. */
export function proxyOf(name: string, x: string, registeredAt: number): ProxyRecord | undefined {
  if (!nameForm.test(name) || !isCoordinate(x)) return undefined
  return { id: proxyIdOf(proxyJwk(x)), x, name, registeredAt }
}

export async function addProxy({ proxies }: Pick<Ports, 'proxies'>, asking: Asking, proxy: ProxyRecord): Promise<void> {
  const detail = { proxy: proxy.id, name: proxy.name }
  await proxies.add(proxy, { at: proxy.registeredAt, kind: 'proxy.add', outcome: 'done', asking, detail })
}

/** `id`: 16 random bytes; `iat`: seconds. */
export interface RemoteProxy {
  readonly name: string
  readonly x: string
  readonly id: string
  readonly iat: number
}

const proven = ({ name, x, id, iat }: RemoteProxy, cluster: string): Bytes =>
  canonicalJson({ v: 1, offer: 'proxy', cluster, name, x, id, iat })

export const proveProxy = (key: MacKey, cluster: string, proxy: RemoteProxy): string =>
  base64url(hmac(key, proven(proxy, cluster)))

/** @throws Refusal operator_unproven, bad_request */
export function acceptProxy(
  site: Site,
  ports: Pick<Ports, 'keys' | 'now' | 'proxies' | 'audit'>,
  asking: Asking,
  remote: RemoteProxy,
  proof: string,
): Promise<ProxyRecord> {
  return recordingRefusals(ports, asking, 'proxy.add', async () => {
    const proxy = proxyOf(remote.name, remote.x, ports.now())
    // Before any of it is made canonical: only well-formed text can be.
    if (!proxy || fromBase64url(remote.id)?.length !== 16) throw new Refusal('bad_request', { why: 'name or key' })
    const mac = fromBase64url(proof)
    const isRight = mac !== undefined && hmacIsRight(ports.keys.operator, mac, proven(remote, site.cluster))
    // What is repeated within its minute registers the same key under the same name once more.
    if (!isRight || Math.abs(ports.now() - seconds(remote.iat)) > minutes(1)) throw new Refusal('operator_unproven')
    await addProxy(ports, asking, proxy)
    return proxy
  })
}
