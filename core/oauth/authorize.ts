/**
 * Approving a client (RFC 6749 section 4.1, RFC 7636, RFC 8252, RFC 9207, RFC 9449 section 10). The page shows which program asks
 * from where; a tap approves exactly its request, bound to its key; the code goes to its loopback address. A session cookie
 * alone approves nothing.
 */
import { type AuditEvent, recordingRefusals } from '../audit.ts'
import { type CliSubject, canonicalJson, type Intent } from '../intent.ts'
import { base64url, fromBase64url, utf8 } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, spendOf } from '../login/ceremony.ts'
import { withKey } from '../login/known-key.ts'
import { requestOptions } from '../login/options.ts'
import { withSite } from '../login/with-preference.ts'
import { type ClientSessionId, type Holder, type Instant, minutes, type Site } from '../model.ts'
import type { Caller, KnownKey, Ports } from '../ports.ts'
import { Refusal, type RefusalCode } from '../refusal.ts'
import { type AssertionJson, type Tap, verifyTap } from '../tap/verify.ts'
import { answerAt, type Client, type Clients, isLoopbackRedirect, parseScope } from './clients.ts'

const ttl = minutes(5)
/** A program fetches its tokens at once (RFC 6749 section 4.1.2 allows ten minutes). */
const codeTtl = minutes(1)

/** The parameters as they came. */
export interface AuthorizeParameters {
  readonly response_type?: string | undefined
  readonly client_id?: string | undefined
  readonly redirect_uri?: string | undefined
  readonly scope?: string | undefined
  readonly state?: string | undefined
  readonly nonce?: string | undefined
  readonly code_challenge?: string | undefined
  readonly code_challenge_method?: string | undefined
  readonly dpop_jkt?: string | undefined
  readonly max_age?: string | undefined
  readonly prompt?: string | undefined
  readonly response_mode?: string | undefined
  readonly request?: string | undefined
  readonly request_uri?: string | undefined
}

export interface AuthorizeRequest {
  readonly client: Client
  readonly redirectUri: string
  readonly scope: string
  readonly state: string | undefined
  readonly nonce: string
  readonly codeChallenge: string
  readonly jkt: Holder
}

/** A refusal that the client may be told at its redirect: redirect and client were found to be right. */
export class AuthorizeRefusal extends Refusal {
  readonly location: string

  constructor(code: RefusalCode, why: string, location: (word: string, remedy: string) => string) {
    super(code, { why })
    this.location = location(this.word, this.remedy)
  }
}

/**
 * Section 4.1.2.1: as long as client and redirect are not known to be right, nobody is redirected anywhere.
 * @throws Refusal client_unknown, redirect_invalid; AuthorizeRefusal for all else
 */
export function parseAuthorizeRequest(site: Site, clients: Clients, given: AuthorizeParameters): AuthorizeRequest {
  const client = clients.get(given.client_id ?? '')
  if (!client) throw new Refusal('client_unknown')
  const redirectUri = given.redirect_uri ?? ''
  if (!isLoopbackRedirect(redirectUri)) throw new Refusal('redirect_invalid')
  const { state, code_challenge: codeChallenge = '', dpop_jkt: jkt = '' } = given
  const refuse = (code: RefusalCode, why: string): AuthorizeRefusal =>
    new AuthorizeRefusal(code, why, (error, error_description) =>
      answerAt(redirectUri, { error, error_description, state, iss: site.origin }),
    )
  if (given.request !== undefined || given.request_uri !== undefined) throw refuse('request_unsupported', 'request')
  if (given.response_type !== 'code') throw refuse('response_type_unsupported', 'response_type')
  if (given.response_mode !== undefined && given.response_mode !== 'query')
    throw refuse('authorize_invalid', 'response_mode')
  if (given.code_challenge_method !== 'S256') throw refuse('authorize_invalid', 'code_challenge_method')
  if (!isThumbprint(codeChallenge)) throw refuse('authorize_invalid', 'code_challenge')
  if (!isThumbprint(jkt)) throw refuse('authorize_invalid', 'dpop_jkt')
  if (given.prompt?.split(' ').includes('none')) throw refuse('interaction_required', 'prompt')
  const scope = parseScope(given.scope)
  if (scope === undefined) throw refuse('scope_invalid', 'scope')
  return { client, redirectUri, scope, state, nonce: given.nonce ?? '', codeChallenge, jkt: jkt as Holder }
}

/** SHA-256, base64url: of a key (RFC 7638), or of a verifier. */
export const isThumbprint = (text: string): boolean => text.length === 43 && fromBase64url(text)?.length === 32

/** What the tap says. The page computes it too, from what it shows. */
export function cliSubjectOf({ client, redirectUri, ...request }: AuthorizeRequest, address: string): CliSubject {
  const flow = {
    client_id: client.id,
    redirect_uri: redirectUri,
    code_challenge: request.codeChallenge,
    state: request.state ?? '',
  }
  return { flow: base64url(sha256(canonicalJson(flow))), client_key: request.jkt, scope: request.scope, address }
}

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'sessions' | 'audit'>

/** @throws Refusal session_missing, passkeys_elsewhere, tap_impossible */
export function beginAuthorize(
  site: Site,
  ports: BeginNeeds,
  { asking, claim }: Caller,
  holder: Holder,
  request: AuthorizeRequest,
) {
  return recordingRefusals(ports, asking, 'client.approve', async () => {
    const account = claim && (await ports.sessions.findWithPasskeys(claim, ports.now()))
    if (!account) throw new Refusal('session_missing')
    // Somebody who signed in with a password and a code.
    if (account.credentials.length === 0) throw new Refusal('tap_impossible', { user: account.user.id })
    const subject = cliSubjectOf(request, asking.from.address)
    const begin = { purpose: 'cli', user: account.user.id, holder, subject, ttl } as const
    const { intent, ticket } = beginIntent(site, ports, begin)
    return withSite(site, ports, async (here) => ({
      ticket,
      options: requestOptions(here, intent, ttl, account.credentials),
    }))
  })
}

type FinishNeeds = Pick<
  Ports,
  'keys' | 'random' | 'now' | 'preferences' | 'publicKeys' | 'credentials' | 'codes' | 'audit'
>

export interface AuthorizeAnswer {
  readonly ticket: string
  readonly assertion: AssertionJson
}

export interface Approved {
  /** The client's redirect, with the code. */
  readonly location: string
  readonly cookie: SessionCookie
  readonly expiresAt: Instant
}

/** @throws Refusal */
export function finishAuthorize(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  request: AuthorizeRequest,
  { ticket, assertion }: AuthorizeAnswer,
): Promise<Approved> {
  return recordingRefusals(ports, caller.asking, 'client.approve', async () => {
    const tap = { intent: readTicket(ports, ticket), assertion }
    return withSite(site, ports, (here, { revision }) =>
      withKey(ports, assertion.id, (known) => approveWith(here, ports, caller, request, tap, known, revision)),
    )
  })
}

async function approveWith(
  site: Site,
  ports: FinishNeeds,
  { asking, holder, claim }: Caller,
  request: AuthorizeRequest,
  tap: Tap,
  known: KnownKey | undefined,
  preference: string | undefined,
): Promise<Approved> {
  if (!claim) throw new Refusal('session_missing')
  if (!known) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
  const { intent } = tap
  const { userId, publicKey } = known
  // The page's own address may have changed between the two calls; what was tapped is what was shown.
  const subject = cliSubjectOf(request, String((intent as Intent<'cli'>).subject.address))
  const shown = { site, purpose: 'cli', holder, user: userId, subject, now: ports.now() } as const
  const evidence = await verifyTap(tap, known, shown)

  const { session, cookie } = newSession(ports, asking.from)
  const at = session.openedAt
  const code = base64url(ports.random(32))
  const clientSessionId = base64url(ports.random(16)) as ClientSessionId
  const event: AuditEvent = {
    at,
    kind: 'client.approve',
    outcome: 'done',
    asking,
    userId,
    credentialId: evidence.credentialId,
    sessionId: clientSessionId,
    intentId: intent.id,
    detail: { client: request.client.id, scope: request.scope },
    evidence: { tap },
  }
  const { expiresAt } = await ports.codes.issue({
    spend: spendOf(intent),
    tapped: { ...evidence, userId, fingerprint: publicKey.fingerprint, preference },
    claim,
    session,
    code: { ...codeOf(request, code, clientSessionId, at), intentId: intent.id },
    event,
  })
  await ports.publicKeys.keep(evidence.credentialId, known)
  const { redirectUri, state } = request
  return { location: answerAt(redirectUri, { code, state, iss: site.origin }), cookie, expiresAt }
}

const codeOf = (request: AuthorizeRequest, code: string, clientSessionId: ClientSessionId, at: Instant) => ({
  hash: base64url(sha256(utf8(code))),
  clientSessionId,
  clientId: request.client.id,
  redirectUri: request.redirectUri,
  codeChallenge: request.codeChallenge,
  jkt: request.jkt,
  scope: request.scope,
  nonce: request.nonce,
  authenticatedAt: at,
  expiresAt: at + codeTtl,
})

/** Saying no needs no tap. The client is told, and the audit log. @throws Refusal session_missing */
export async function refuseAuthorize(
  site: Site,
  { sessions, audit, now }: Pick<Ports, 'sessions' | 'audit' | 'now'>,
  { asking, claim }: Caller,
  { client, redirectUri, state }: AuthorizeRequest,
): Promise<{ location: string }> {
  const user = claim && (await sessions.find(claim, now()))
  if (!user) throw new Refusal('session_missing')
  const detail = { client: client.id }
  await audit.record({ at: now(), kind: 'client.refuse', outcome: 'done', asking, userId: user.id, detail })
  return { location: answerAt(redirectUri, { error: 'access_denied', state, iss: site.origin }) }
}
