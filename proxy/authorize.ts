/** Who may open this tunnel: the grant is for this process, the proof for this connection, and each grant opens as often as it says. */

import { targetName } from '../core/access/host-target.ts'
import { type OpenedSession, openSession } from '../core/access/open-session.ts'
import type { SessionTarget } from '../core/access/resource.ts'
import { sessionIn } from '../core/access/session-set.ts'
import { readGrant, type SessionGrant } from '../core/issue/grant.ts'
import { base64url } from '../core/lib/bytes.ts'
import { webSignatures } from '../core/lib/jws.ts'
import { type Holder, minutes, seconds } from '../core/model.ts'
import { type AccessClaims, verifyAccessToken } from '../core/oauth/access-token.ts'
import { verifyConnectionProof } from '../core/oauth/dpop.ts'
import type { Ports } from '../core/ports.ts'
import { Refusal } from '../core/refusal.ts'
import type { ConnectHead } from '../core/route/connect.ts'
import type { RequestHead } from '../core/route/request-head.ts'
import type { CertificateLogins } from './certificate-logins.ts'
import type { World } from './exchange.ts'
import type { Identity } from './identity.ts'
import type { Spent } from './spent.ts'
import type { Trust, Trusting } from './trust.ts'

export interface AuthorizeNeeds {
  readonly world: World
  readonly identity: Pick<Identity, 'id' | 'boot'>
  readonly trust: Trust
  readonly spent: Spent
  readonly certificateLogins: CertificateLogins
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

/** A grant as a client shows it, for the resource that it asks for. */
export interface Showing {
  readonly target: string
  /** By its signature alone. @throws Refusal grant_invalid, unavailable */
  read(): Promise<SessionGrant>
  /** The key that was proven over this very connection. @throws Refusal */
  provenKey(): Promise<Holder>
  /** Of a word that stands in for the key, or is to: a role must permit it. */
  readonly isBearer?: true
  /** The use of the grant that was spent before. */
  readonly spent?: number | string
  /** Whether the protocol that the client speaks is that of the resource. */
  readonly fits?: (resource: SessionTarget) => boolean
}

/** By CONNECT; its proof is of `sallyport://PROXY/NAME`, of a host `.../HOST:PORT`. `exporter`: of the connection, as in `Shown`. */
export function shownByConnect(
  needs: AuthorizeNeeds,
  { target: at, proxyAuthorization, dpop: proof }: Omit<ConnectHead, 'version'>,
  exporter: string,
): Showing {
  const { identity, world, proofKeys } = needs
  const target = targetName(at)
  const url = `sallyport://${identity.id}/${encodeURIComponent(target)}`
  return {
    target,
    read: async () => {
      const jwt = tokenIn(proxyAuthorization)
      if (jwt === undefined) throw new Refusal('grant_invalid', { why: 'none' })
      return readGrantFor(needs, jwt, target)
    },
    provenKey: () => {
      const request = { method: 'CONNECT', url, proof }
      return verifyConnectionProof({ now: world.now, proofKeys, signatures: webSignatures }, request, exporter)
    },
  }
}

/** To be turned into a word: a grant for one session, whatever resource that is on. */
export function shownForBearer(
  needs: AuthorizeNeeds,
  { proxyAuthorization, dpop: proof }: Pick<RequestHead, 'proxyAuthorization' | 'dpop'>,
  { exporter, path }: { readonly exporter: string; readonly path: string },
): Omit<Showing, 'target'> {
  const { identity, world, proofKeys } = needs
  return {
    isBearer: true,
    read: async () => {
      const jwt = tokenIn(proxyAuthorization)
      if (jwt === undefined) throw new Refusal('grant_invalid', { why: 'none' })
      return readGrantFor(needs, jwt, '')
    },
    provenKey: () => {
      const request = { method: 'POST', url: `sallyport://${identity.id}${path}`, proof }
      return verifyConnectionProof({ now: world.now, proofKeys, signatures: webSignatures }, request, exporter)
    },
  }
}

/** @throws Refusal grant_invalid, unavailable */
export async function readGrantFor(
  { world, identity, trust }: AuthorizeNeeds,
  jwt: string,
  target: string,
): Promise<SessionGrant> {
  const { known, keys } = trust.fresh()
  return sessionIn(await readGrant({ issuer: known.site.origin, keys, proxy: identity, now: world.now() }, jwt), target)
}

/** Spends one use of the grant, whether or not it may be used then. `use`: which one. @throws Refusal */
export async function openGrant(
  needs: AuthorizeNeeds,
  grant: SessionGrant,
  showing: Showing,
  address: string,
): Promise<OpenedSession & { readonly trusting: Trusting; readonly use: number | string }> {
  const { world, identity, trust } = needs
  const { target } = showing
  const jkt = await showing.provenKey()
  requireKey(grant, jkt)
  await needs.certificateLogins.requireRunning(grant)
  const use = showing.spent ?? requireUnspent(needs, grant)
  const { id, boot } = identity
  const open = async () => {
    const trusting = trust.fresh()
    const shown = { grant, target, jkt, proxy: { id, boot }, address, now: world.now() }
    const opened = await openSession(trusting.known, shown)
    if (showing.isBearer && !opened.constraints.bearerGrants) throw noBearer(grant)
    if (showing.fits?.(opened.resource) === false) throw new Refusal('protocol_unfit', { resource: target })
    return { ...opened, trusting, use }
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

const noBearer = ({ subject }: SessionGrant) => {
  const instead = subject.resource.kind === 'db' ? 'sallyport db login' : 'sallyport proxy http or proxy tcp'
  const told = `No role of yours lets a password stand in for a key here (bearer_grants): ${instead}.`
  return new Refusal('session_refused', { why: 'no_bearer_grants' }, { told })
}

const newerMayAllow: ReadonlySet<string> = new Set(['session_refused', 'resource_unknown', 'credential_unknown'])

/** Before it is spent: nobody else can use it up. */
function requireKey({ clientKey }: SessionGrant, jkt: Holder): void {
  if (clientKey !== jkt) throw new Refusal('grant_invalid', { why: 'another key' })
}

/** Remembered as long as the grant, or the tap in it, could be shown again. */
function requireUnspent(
  { spent, world }: Pick<AuthorizeNeeds, 'spent' | 'world'>,
  { id, uses: { key, most }, tap }: SessionGrant,
): number | string {
  const now = world.now()
  // Nothing counts it, here or in the process after this one: the name of a session must be another one each time.
  if (most === undefined) return base64url(world.random(8))
  const exp = tap ? seconds(tap.intent.exp) + minutes(1) : 0
  // An intent without an instant is refused when the tap is checked.
  const until = Number.isFinite(exp) ? Math.max(now + minutes(3), exp) : now + minutes(3)
  const spending = spent.spend({ key, most }, until, now)
  if (spending.kind === 'spent_now') return spending.use
  if (spending.kind === 'spent_before') throw new Refusal('grant_spent', { grant: id })
  throw new Refusal('unavailable', { why: 'too_many_grants' })
}
