/**
 * The device flow's side of the person (RFC 8628 section 3.3): the page shows which program asks, with which code and from where;
 * a tap approves exactly that. Somebody may have been tricked into typing a stranger's code (section 5.4), so the flow is off
 * unless a role allows it, and what it opens neither administers nor changes who may sign in.
 */
import { type AuditEvent, recordingRefusals } from '../audit.ts'
import type { DeviceAsk, DeviceView } from '../device-flow-ports.ts'
import { type CliSubject, canonicalJson } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { beginIntent, newSession, readTicket, type SessionCookie, spendOf } from '../login/ceremony.ts'
import { withKey } from '../login/known-key.ts'
import { requestOptions } from '../login/options.ts'
import { withSite } from '../login/with-preference.ts'
import { type Holder, type Instant, minutes, type Site } from '../model.ts'
import type { Caller, KnownKey, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type Tap, verifyTap } from '../tap/verify.ts'
import type { AuthorizeAnswer } from './authorize.ts'
import { devicePage } from './device-flow.ts'
import { parseUserCode } from './user-code.ts'

const ttl = minutes(5)

/** Where the answer to a code is shown. */
const placeOf = ({ userCode }: DeviceAsk): string => `${devicePage}?${new URLSearchParams({ user_code: userCode })}`

type LookNeeds = Pick<Ports, 'deviceCodes' | 'now' | 'audit'>

/** For the page. Without a code: whether the user may use one. @throws Refusal session_missing, user_code_unknown */
export const lookAtDevice = (ports: LookNeeds, caller: Caller, typed: string | undefined): Promise<DeviceView> =>
  typed === undefined
    ? look(ports, caller, '')
    : recordingRefusals(ports, caller.asking, 'client.approve', () => see(ports, caller, typed))

async function look({ deviceCodes, now }: LookNeeds, { claim }: Caller, userCode: string): Promise<DeviceView> {
  const view = claim && (await deviceCodes.look(claim, userCode, now()))
  if (!view) throw new Refusal('session_missing')
  return view
}

async function see(ports: LookNeeds, caller: Caller, typed: string): Promise<DeviceView & { readonly ask: DeviceAsk }> {
  const view = await look(ports, caller, parseUserCode(typed) ?? '')
  const { ask } = view
  if (!ask) throw new Refusal('user_code_unknown', { user: view.user.id })
  return { ...view, ask }
}

/** What the tap says. The page computes it too, from what it shows. */
export function deviceSubjectOf({ clientId, userCode, hash, jkt, scope, from }: DeviceAsk): CliSubject {
  const flow = { client_id: clientId, user_code: userCode, device_code_hash: hash }
  return { flow: base64url(sha256(canonicalJson(flow))), client_key: jkt, scope, address: from.address }
}

type BeginNeeds = LookNeeds & Pick<Ports, 'keys' | 'random' | 'preferences'>

/** @throws Refusal session_missing, user_code_unknown, device_flow_off, device_code_answered */
export function beginDeviceApproval(site: Site, ports: BeginNeeds, caller: Caller, holder: Holder, typed: string) {
  return recordingRefusals(ports, caller.asking, 'client.approve', async () => {
    const { user, credentials, mayUse, ask } = await see(ports, caller, typed)
    if (!mayUse) throw new Refusal('device_flow_off', { user: user.id })
    if (ask.state !== 'waiting') throw new Refusal('device_code_answered', { user: user.id })
    const begin = { purpose: 'cli', user: user.id, holder, subject: deviceSubjectOf(ask), ttl } as const
    const { intent, ticket } = beginIntent(site, ports, begin)
    return withSite(site, ports, async (here) => ({ ticket, options: requestOptions(here, intent, ttl, credentials) }))
  })
}

type FinishNeeds = BeginNeeds & Pick<Ports, 'publicKeys' | 'credentials'>

export interface DeviceApproved {
  readonly location: string
  readonly cookie: SessionCookie
  readonly expiresAt: Instant
}

/** @throws Refusal */
export function finishDeviceApproval(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  typed: string,
  { ticket, assertion }: AuthorizeAnswer,
): Promise<DeviceApproved> {
  return recordingRefusals(ports, caller.asking, 'client.approve', async () => {
    const { ask } = await see(ports, caller, typed)
    const tap = { intent: readTicket(ports, ticket), assertion }
    return withSite(site, ports, (here, { revision }) =>
      withKey(ports, assertion.id, (known) => approveWith(here, ports, caller, ask, tap, known, revision)),
    )
  })
}

async function approveWith(
  site: Site,
  ports: FinishNeeds,
  { asking, holder, claim }: Caller,
  ask: DeviceAsk,
  tap: Tap,
  known: KnownKey | undefined,
  preference: string | undefined,
): Promise<DeviceApproved> {
  if (!claim) throw new Refusal('session_missing')
  if (!known) throw new Refusal('credential_unknown', { credential: tap.assertion.id })
  const { userId, publicKey } = known
  const shown = { site, purpose: 'cli', holder, user: userId, subject: deviceSubjectOf(ask), now: ports.now() } as const
  const evidence = await verifyTap(tap, known, shown)
  const { session, cookie } = newSession(ports, asking.from)
  const event: AuditEvent = {
    at: session.openedAt,
    kind: 'client.approve',
    outcome: 'done',
    asking,
    userId,
    credentialId: evidence.credentialId,
    intentId: tap.intent.id,
    detail: detailOf(ask),
    evidence: { tap },
  }
  const { expiresAt } = await ports.deviceCodes.approve({
    spend: spendOf(tap.intent),
    tapped: { ...evidence, userId, fingerprint: publicKey.fingerprint, preference },
    claim,
    session,
    hash: ask.hash,
    intentId: tap.intent.id,
    event,
  })
  await ports.publicKeys.keep(evidence.credentialId, known)
  return { location: placeOf(ask), cookie, expiresAt }
}

/** Where the program runs, beside where the browser is: an auditor reads whether somebody was tricked. */
const detailOf = ({ clientId, scope, userCode, from }: DeviceAsk) => ({
  client: clientId,
  scope,
  via: 'device_flow',
  user_code: userCode,
  program_address: from.address,
})

/** Saying no needs no tap and no role. The program is told at its next poll. @throws Refusal session_missing, user_code_unknown, device_code_answered */
export function refuseDevice(ports: LookNeeds, caller: Caller, typed: string): Promise<{ location: string }> {
  const { asking, claim } = caller
  return recordingRefusals(ports, asking, 'client.refuse', async () => {
    const { ask } = await see(ports, caller, typed)
    if (!claim) throw new Refusal('session_missing')
    const event = { at: ports.now(), kind: 'client.refuse', outcome: 'done', asking, detail: detailOf(ask) } as const
    await ports.deviceCodes.refuse(claim, ask.hash, event)
    return { location: placeOf(ask) }
  })
}
