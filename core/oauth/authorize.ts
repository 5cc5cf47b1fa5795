/**
 * Approving a client (RFC 6749 section 4.1, RFC 7636, RFC 8252, RFC 9207, RFC 9449 section 10). The page shows which program asks
 * from where; approval.ts says what approves exactly its request, bound to its key; the code goes to its loopback address. A session
 * cookie alone approves nothing.
 */
import { recordingRefusals } from '../audit.ts'
import { type CliSubject, canonicalJson, type Intent } from '../intent.ts'
import { base64url, fromBase64url, utf8 } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { personOf } from '../login/factor-change.ts'
import { type ClientSessionId, type Holder, type Instant, minutes, type Site } from '../model.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal, type RefusalCode } from '../refusal.ts'
import {
  type ApprovalAnswer,
  type ApprovalBegun,
  type ApprovalDone,
  beginApproval,
  finishApproval,
} from './approval.ts'
import { wantsTapBy } from './authentication-context.ts'
import { answerAt, type Client, type Clients, isLoopbackRedirect, parseScope } from './clients.ts'

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
  readonly acr_values?: string | undefined
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
  /** It asked for an approval that nobody can be talked out of: no password and code will do. */
  readonly wantsTap: boolean
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
  if (!/^\d*$/.test(given.max_age ?? '')) throw refuse('authorize_invalid', 'max_age')
  if (given.prompt?.split(' ').includes('none')) throw refuse('interaction_required', 'prompt')
  const scope = parseScope(given.scope)
  if (scope === undefined) throw refuse('scope_invalid', 'scope')
  const wantsTap = wantsTapBy(given.acr_values)
  return { client, redirectUri, scope, state, nonce: given.nonce ?? '', codeChallenge, jkt: jkt as Holder, wantsTap }
}

/** SHA-256, base64url: of a key (RFC 7638), or of a verifier. */
export const isThumbprint = (text: string): boolean => text.length === 43 && fromBase64url(text)?.length === 32

/** What is approved. The page computes it too, from what it shows. */
export function cliSubjectOf({ client, redirectUri, ...request }: AuthorizeRequest, address: string): CliSubject {
  const flow = {
    client_id: client.id,
    redirect_uri: redirectUri,
    code_challenge: request.codeChallenge,
    state: request.state ?? '',
  }
  return { flow: base64url(sha256(canonicalJson(flow))), client_key: request.jkt, scope: request.scope, address }
}

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'sessions' | 'factors' | 'audit'>

/** @throws Refusal session_missing, passkeys_elsewhere, passkey_missing */
export function beginAuthorize(
  site: Site,
  ports: BeginNeeds,
  { asking, claim }: Caller,
  holder: Holder,
  request: AuthorizeRequest,
): Promise<ApprovalBegun> {
  return recordingRefusals(ports, asking, 'client.approve', async () => {
    const account = claim && (await ports.sessions.findWithPasskeys(claim, ports.now()))
    if (!account) throw new Refusal('session_missing')
    const subject = cliSubjectOf(request, asking.from.address)
    return beginApproval(site, ports, holder, account, () => personOf(ports, claim), subject, request.wantsTap)
  })
}

type FinishNeeds = Pick<Ports, 'codes'> & Parameters<typeof finishApproval>[1]

export interface Approved extends ApprovalDone {
  /** The client's redirect, with the code. */
  readonly location: string
}

/** @throws Refusal */
export async function finishAuthorize(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  request: AuthorizeRequest,
  answer: ApprovalAnswer,
): Promise<Approved> {
  const code = base64url(ports.random(32))
  const sessionId = base64url(ports.random(16)) as ClientSessionId
  const done = await finishApproval(site, ports, caller, answer, () => ({
    // The page's own address may have changed between the two calls; what was approved is what was shown.
    subjectOf: (intent) => cliSubjectOf(request, String((intent as Intent<'cli'>).subject.address)),
    detail: { client: request.client.id, scope: request.scope },
    wantsTap: request.wantsTap,
    sessionId,
    apply: (approval) =>
      ports.codes.issue({
        ...approval,
        code: { ...codeOf(request, code, sessionId, approval.event.at), intentId: approval.spend.id },
      }),
  }))
  const { redirectUri, state } = request
  return { ...done, location: answerAt(redirectUri, { code, state, iss: site.origin }) }
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
