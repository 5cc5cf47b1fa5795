/**
 * The device flow's side of the program (RFC 8628): it has no browser, so it shows a code and asks until somebody has answered
 * that in a browser elsewhere. Both codes are bound to the program's key from the start: whoever else reads one gets nothing.
 */
import { recordingRefusals } from '../audit.ts'
import type { DeviceCodeClaim, DevicePoll } from '../device-flow-ports.ts'
import { base64url, utf8 } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { type ClientSessionId, type Holder, minutes, type Site, seconds } from '../model.ts'
import type { Ports, Spend } from '../ports.ts'
import { Refusal, type RefusalCode } from '../refusal.ts'
import type { Login } from '../token-ports.ts'
import { isThumbprint } from './authorize.ts'
import { parseScope } from './clients.ts'
import { type DpopProof, verifyDpop } from './dpop.ts'
import type { TokenContext } from './token.ts'
import { newUserCode } from './user-code.ts'

export const deviceGrantType = 'urn:ietf:params:oauth:grant-type:device_code'
/** Where people answer. */
export const devicePage = '/device'

const codeTtl = minutes(10)
const pollInterval = seconds(5)
/** So long a program that asks late still hears that it is late. */
const keepFor = minutes(10)
/** Of codes that wait or were answered of late: anybody can ask for one. */
const mostCodes = 10_000

export interface DeviceAuthorizationRequest {
  readonly client_id: string | undefined
  readonly scope: string | undefined
  readonly dpop_jkt: string | undefined
}

/** Section 3.2. */
export interface DeviceAuthorization {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'proofKeys' | 'signatures' | 'deviceCodes' | 'audit'>

/** Section 3.1. @throws Refusal client_unknown, scope_invalid, token_request_invalid, dpop_*, device_flow_busy */
export function beginDeviceFlow(
  ports: BeginNeeds,
  context: TokenContext,
  request: DeviceAuthorizationRequest,
): Promise<DeviceAuthorization> {
  return recordingRefusals(ports, context.asking, 'client.login', async () => {
    const client = context.clients.get(request.client_id ?? '')
    if (!client) throw new Refusal('client_unknown')
    const scope = parseScope(request.scope)
    if (scope === undefined) throw new Refusal('scope_invalid')
    const { jkt, spend } = await boundTo(ports, context, request.dpop_jkt)
    const [deviceCode, userCode, askedAt] = [base64url(ports.random(32)), newUserCode(ports), ports.now()]
    await ports.deviceCodes.issue({
      hash: hashOf(deviceCode),
      userCode,
      clientSessionId: base64url(ports.random(16)) as ClientSessionId,
      clientId: client.id,
      jkt,
      scope,
      askedAt,
      expiresAt: askedAt + codeTtl,
      interval: pollInterval,
      from: context.asking.from,
      spend,
      keepFor,
      most: mostCodes,
    })
    return answerOf(context.site, deviceCode, userCode)
  })
}

const hashOf = (deviceCode: string): string => base64url(sha256(utf8(deviceCode)))

function answerOf({ origin }: Site, device_code: string, user_code: string): DeviceAuthorization {
  const verification_uri = origin + devicePage
  const verification_uri_complete = `${verification_uri}?${new URLSearchParams({ user_code })}`
  const [expires_in, interval] = [codeTtl / 1000, pollInterval / 1000]
  return { device_code, user_code, verification_uri, verification_uri_complete, expires_in, interval }
}

/** RFC 9449 section 10.1: the key by its thumbprint, by a proof, or by both; then they are one. */
async function boundTo(
  ports: BeginNeeds,
  context: TokenContext,
  thumbprint: string | undefined,
): Promise<{ readonly jkt: Holder; readonly spend: Spend | undefined }> {
  const proven: DpopProof | undefined = context.proof === undefined ? undefined : await verifyDpop(ports, context)
  const jkt = thumbprint ?? proven?.jkt ?? ''
  if (!isThumbprint(jkt)) throw new Refusal('token_request_invalid', { why: 'dpop_jkt' })
  if (proven && proven.jkt !== jkt) throw new Refusal('dpop_invalid', { why: 'another key than dpop_jkt' })
  return { jkt: jkt as Holder, spend: proven?.spend }
}

/** Section 3.5. What a code is not tells nobody whether there is such a code. */
const notYet: Readonly<Record<Exclude<DevicePoll, 'approved'>, RefusalCode>> = {
  pending: 'device_pending',
  slow_down: 'device_slow_down',
  refused: 'device_refused',
  expired: 'device_expired',
  used: 'device_code_invalid',
  'of another client': 'device_code_invalid',
  'of another key': 'device_code_invalid',
  unknown: 'device_code_invalid',
}

type RedeemNeeds = Pick<Ports, 'keys' | 'now' | 'proofKeys' | 'signatures' | 'deviceCodes'>

/** Section 3.4. @throws Refusal */
export async function redeemDeviceCode(
  ports: RedeemNeeds,
  context: TokenContext,
  {
    device_code: code = '',
    client_id: clientId = '',
  }: { readonly [name in 'device_code' | 'client_id']?: string | undefined },
): Promise<{ readonly login: Login; readonly jkt: Holder }> {
  if (code === '') throw new Refusal('token_request_invalid')
  const { jkt, spend } = await verifyDpop(ports, context)
  const claim: DeviceCodeClaim = { hash: hashOf(code), clientId, jkt }
  const at = ports.now()
  const state = await ports.deviceCodes.poll({ ...claim, spend, at })
  if (state !== 'approved') throw new Refusal(notYet[state], { client: clientId, why: state })
  const event = { at, kind: 'client.login', outcome: 'done', asking: context.asking } as const
  return { login: await ports.deviceCodes.redeem({ ...claim, event }), jkt }
}
