/** Which relying parties a cluster's passkeys are made for: today's, and those of before that it still takes. */
import type { Preference } from '../access/preference.ts'
import { type Bytes, equalBytes, utf8 } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import type { Credential, RelyingParty, Site } from '../model.ts'
import { Refusal } from '../refusal.ts'

type Said = Pick<Preference, 'rpId' | 'formerRpIds'>

const relyingParty = (id: string): RelyingParty => ({ id, hash: sha256(utf8(id)) })

/** The site as the preference has it. Settings say the relying party where it says none. */
export function siteUnder(site: Site, { rpId = site.rpId, formerRpIds }: Said): Site {
  if (rpId === site.rpId && formerRpIds.length === 0) return site
  const { id, hash } = relyingParty(rpId)
  return { ...site, rpId: id, rpIdHash: hash, formerRps: formerRpIds.map(relyingParty) }
}

/** The relying party that an authenticator signed for, where the cluster takes it. */
export function rpIdOf({ rpId, rpIdHash, formerRps = [] }: Site, hash: Bytes): string | undefined {
  return equalBytes(hash, rpIdHash) ? rpId : formerRps.find((former) => equalBytes(hash, former.hash))?.id
}

export const rpIdsOf = ({ rpId, formerRps = [] }: Site): readonly string[] => [rpId, ...formerRps.map(({ id }) => id)]

/** Those that still work. */
export const usableOf = <C extends Pick<Credential, 'rpId'>>(site: Site, credentials: readonly C[]): readonly C[] => {
  const rpIds = rpIdsOf(site)
  return credentials.filter(({ rpId }) => rpIds.includes(rpId))
}

/**
 * A browser asks for the passkeys of one relying party at a time: today's where there are any, else the first of before.
 * @throws Refusal passkeys_elsewhere
 */
export function ofOneRp<C extends Pick<Credential, 'rpId'>>(
  site: Site,
  credentials: readonly C[],
): { rpId: string; credentials: readonly C[] } {
  const rpId = rpIdsOf(site).find((id) => credentials.some((one) => one.rpId === id))
  if (rpId === undefined) throw new Refusal('passkeys_elsewhere')
  return { rpId, credentials: credentials.filter((one) => one.rpId === rpId) }
}

/**
 * Whether a browser on this origin can use a relying party: it is the origin's host or a domain above it, or names the origin at
 * its own /.well-known/webauthn (WebAuthn Level 3 section 5.11), which the preference's `related_origins` are.
 */
export function rpIdFits({ origin }: Pick<Site, 'origin'>, rpId: string, relatedOrigins: readonly string[]): boolean {
  const { hostname } = new URL(origin)
  if (rpId === hostname) return true
  if (isPublicSuffix(rpId)) return false
  return hostname.endsWith(`.${rpId}`) || relatedOrigins.includes(origin)
}

/** Of the domains under which anybody can register, those that an edge is likely to stand under. Browsers know them all. */
const sharedDomains = new Set([
  ...['workers.dev', 'pages.dev', 'deno.dev', 'fly.dev', 'run.app', 'web.app', 'vercel.app', 'netlify.app'],
  ...['herokuapp.com', 'onrender.com', 'azurewebsites.net', 'cloudfront.net', 'github.io', 'gitlab.io', 'ngrok.app'],
  ...['ngrok.io', 'trycloudflare.com', 'ts.net', 'duckdns.org', 'appspot.com', 'amazonaws.com', 'railway.app'],
])
/** Such as co.uk and com.au. */
const secondLevel = /^(?:ac|co|com|edu|gob|gov|gv|mil|ne|net|or|org)\.[a-z]{2}$/

const isPublicSuffix = (domain: string): boolean =>
  !domain.includes('.') || secondLevel.test(domain) || sharedDomains.has(domain)
