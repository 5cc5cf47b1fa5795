/** Who may open this tunnel: the grant is for this process, the proof for this connection, and each grant opens as often as it says. */

import { type OpenedSession, openSession } from '../core/access/open-session.ts'
import { sessionIn } from '../core/access/session-set.ts'
import { readGrant, type SessionGrant } from '../core/issue/grant.ts'
import { webSignatures } from '../core/lib/jws.ts'
import { type Holder, type Instant, minutes, seconds } from '../core/model.ts'
import { type AccessClaims, verifyAccessToken } from '../core/oauth/access-token.ts'
import { verifyConnectionProof } from '../core/oauth/dpop.ts'
import type { Ports } from '../core/ports.ts'
import { Refusal } from '../core/refusal.ts'
import type { World } from './exchange.ts'
import type { Identity } from './identity.ts'
import type { Spent } from './spent.ts'
import type { Trust, Trusting } from './trust.ts'

export interface AuthorizeNeeds {
  readonly world: World
  readonly identity: Pick<Identity, 'id' | 'boot'>
  readonly trust: Trust
  readonly spent: Spent
  readonly proofKeys: Ports['proofKeys']
  readonly accessTokens: Ports['accessTokens']
}

/** A proof, and what the two ends of this TLS connection alone know (RFC 8446 section 7.5), base64url: what it must name. */
export interface Shown {
  readonly proof: string | undefined
  readonly exporter: string
}

/** `Authorization: DPoP TOKEN` (RFC 9449 section 7.1). */
const tokenIn = (credential: string | undefined): string | undefined =>
  /^DPoP +([A-Za-z0-9_.-]+)$/i.exec(credential ?? '')?.[1]

/** Who asks which proxy this is. @throws Refusal */
export async function authenticate(
  { world, trust, proofKeys, accessTokens }: AuthorizeNeeds,
  credential: string,
  { proof, exporter }: Shown,
  url: string,
): Promise<AccessClaims> {
  const { known, keys } = trust.fresh()
  const token = tokenIn(credential)
  if (token === undefined) throw new Refusal('token_missing')
  const keyring = { verifier: async (kid: string) => keys.get(kid) }
  const claims = await verifyAccessToken(known.site, { keyring, now: world.now, accessTokens }, token)
  const request = { method: 'GET', url, proof, accessToken: token }
  const jkt = await verifyConnectionProof({ now: world.now, proofKeys, signatures: webSignatures }, request, exporter)
  if (jkt !== claims.jkt) throw new Refusal('token_invalid', { why: 'another key' })
  return claims
}

/** By its signature alone, for what this connection asks for. @throws Refusal grant_invalid, unavailable */
export async function readShownGrant(
  { world, identity, trust }: AuthorizeNeeds,
  credential: string | undefined,
  target: string,
): Promise<SessionGrant> {
  const { known, keys } = trust.fresh()
  const jwt = tokenIn(credential)
  if (jwt === undefined) throw new Refusal('grant_invalid', { why: 'none' })
  return sessionIn(await readGrant({ issuer: known.site.origin, keys, proxy: identity, now: world.now() }, jwt), target)
}

/** Spends one use of the grant, whether or not it may be used then. `use`: which one. @throws Refusal */
export async function openGrant(
  { world, identity, trust, spent, proofKeys }: AuthorizeNeeds,
  grant: SessionGrant,
  { proof, exporter, address }: Shown & { readonly address: string },
  target: string,
): Promise<OpenedSession & { readonly trusting: Trusting; readonly use: number }> {
  const url = `sallyport://${identity.id}/${target}`
  const jkt = await verifyConnectionProof(
    { now: world.now, proofKeys, signatures: webSignatures },
    { method: 'CONNECT', url, proof },
    exporter,
  )
  requireKey(grant, jkt)
  const use = requireUnspent(spent, grant, world.now())
  const { id, boot } = identity
  const open = async () => {
    const trusting = trust.fresh()
    const shown = { grant, target, jkt, proxy: { id, boot }, address, now: world.now() }
    return { ...(await openSession(trusting.known, shown)), trusting, use }
  }
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof Refusal && newerMayAllow.has(error.code))) throw error
    // The edge has just granted it, so it may know what the last snapshot does not: a new user, role or passkey.
    await trust.ask()
    return open()
  }
}

const newerMayAllow: ReadonlySet<string> = new Set(['session_refused', 'resource_unknown', 'credential_unknown'])

/** Before it is spent: nobody else can use it up. */
function requireKey({ clientKey }: SessionGrant, jkt: Holder): void {
  if (clientKey !== jkt) throw new Refusal('grant_invalid', { why: 'another key' })
}

/** Remembered as long as the grant, or the tap in it, could be shown again. */
function requireUnspent(spent: Spent, { id, uses, tap }: SessionGrant, now: Instant): number {
  const exp = tap ? seconds(tap.intent.exp) + minutes(1) : 0
  // An intent without an instant is refused when the tap is checked.
  const until = Number.isFinite(exp) ? Math.max(now + minutes(3), exp) : now + minutes(3)
  const spending = spent.spend(uses, until, now)
  if (spending.kind === 'spent_now') return spending.use
  if (spending.kind === 'spent_before') throw new Refusal('grant_spent', { grant: id })
  throw new Refusal('unavailable', { why: 'too_many_grants' })
}
