/**
 * One-time links that the operator of the edge offers: for the first administrator, and for the recovery of one. On the edge's own
 * machine the terminal is proof enough; for a deployed edge he makes the secret, sends its hash, and proves that he holds `SALLYPORT_KEY`.
 */
import { canonicalJson } from '../intent.ts'
import { type Bytes, base64url, fromBase64url } from '../lib/bytes.ts'
import { hmac, hmacIsRight, type MacKey, sha256 } from '../lib/hash.ts'
import { type Duration, hours, minutes, type Site, seconds } from '../model.ts'
import type { AdministratorLink, Ports, Spend } from '../ports.ts'
import { Refusal } from '../refusal.ts'

export const linkTtl: Duration = hours(1)

/** What is offered. `name`: who is to be recovered. */
export type Offered = { readonly offer: 'first-administrator' } | { readonly offer: 'recovery'; readonly name: string }

export interface RemoteOffer {
  /** SHA-256 of the secret, base64url. */
  readonly link: string
  readonly id: string
  /** Seconds since 1970. */
  readonly iat: number
}

const bytesOf = (offered: Offered, { link, id, iat }: RemoteOffer, cluster: string): Bytes =>
  canonicalJson({ v: 1, ...offered, cluster, link, id, iat })

export const proveOffer = (key: MacKey, cluster: string, offered: Offered, offer: RemoteOffer): string =>
  base64url(hmac(key, bytesOf(offered, offer, cluster)))

/** What keeps the offer from being sent twice. @throws Refusal operator_unproven */
export function requireOffer(
  site: Site,
  { keys, now }: Pick<Ports, 'keys' | 'now'>,
  offered: Offered,
  offer: RemoteOffer,
  proof: string,
): Spend {
  // Before any of it is made canonical: only well-formed text can be.
  if (fromBase64url(offer.link)?.length !== 32 || fromBase64url(offer.id)?.length !== 16)
    throw new Refusal('operator_unproven')
  const mac = fromBase64url(proof)
  const age = Math.abs(now() - seconds(offer.iat))
  const right = mac !== undefined && hmacIsRight(keys.operator, mac, bytesOf(offered, offer, site.cluster))
  if (!right || age > minutes(1)) throw new Refusal('operator_unproven')
  return { id: `offer.${offer.id}`, expiresAt: now() + hours(1) }
}

/** How the database and the intent name a link. undefined: no secret of ours looks like this. */
export function hashOf(secret: string): string | undefined {
  const bytes = fromBase64url(secret)
  return bytes && base64url(sha256(bytes))
}

/** A secret made here, and the link that it opens. */
export function newLink({ random, now }: Pick<Ports, 'random' | 'now'>, name: string | undefined) {
  const secret = random(32)
  const link: AdministratorLink = { hash: base64url(sha256(secret)), name, expiresAt: now() + linkTtl }
  return { secret: base64url(secret), link }
}

/** Whether it is this secret's, and still works. */
export const isOpen = (link: AdministratorLink, secret: string, now: number): boolean =>
  hashOf(secret) === link.hash && now < link.expiresAt
