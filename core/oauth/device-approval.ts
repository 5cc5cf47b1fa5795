/**
 * The device flow's side of the person (RFC 8628 section 3.3): the page shows which program asks, with which code and from where;
 * approval.ts says what approves exactly that. Somebody may have been tricked into typing a stranger's code (section 5.4), so the flow is off
 * unless a role allows it, and what it opens neither administers nor changes who may sign in.
 */
import { recordingRefusals } from '../audit.ts'
import type { DeviceAsk, DeviceView } from '../device-flow-ports.ts'
import { type CliSubject, canonicalJson } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import type { Holder, Site } from '../model.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import {
  type ApprovalAnswer,
  type ApprovalBegun,
  type ApprovalDone,
  beginApproval,
  finishApproval,
} from './approval.ts'
import { devicePage } from './device-flow.ts'
import { parseUserCode } from './user-code.ts'

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

/** What is approved. The page computes it too, from what it shows. */
export function deviceSubjectOf({ clientId, userCode, hash, jkt, scope, from }: DeviceAsk): CliSubject {
  const flow = { client_id: clientId, user_code: userCode, device_code_hash: hash }
  return { flow: base64url(sha256(canonicalJson(flow))), client_key: jkt, scope, address: from.address }
}

type BeginNeeds = LookNeeds & Pick<Ports, 'keys' | 'random' | 'preferences'>

/** @throws Refusal session_missing, user_code_unknown, device_flow_off, device_code_answered, passkeys_elsewhere, passkey_missing */
export function beginDeviceApproval(
  site: Site,
  ports: BeginNeeds,
  caller: Caller,
  holder: Holder,
  typed: string,
): Promise<ApprovalBegun> {
  return recordingRefusals(ports, caller.asking, 'client.approve', async () => {
    const { mayUse, ask, ...person } = await see(ports, caller, typed)
    if (!mayUse) throw new Refusal('device_flow_off', { user: person.user.id })
    if (ask.state !== 'waiting') throw new Refusal('device_code_answered', { user: person.user.id })
    return beginApproval(site, ports, holder, person, async () => person, deviceSubjectOf(ask))
  })
}

type FinishNeeds = LookNeeds & Parameters<typeof finishApproval>[1]

export interface DeviceApproved extends ApprovalDone {
  readonly location: string
}

/** @throws Refusal */
export async function finishDeviceApproval(
  site: Site,
  ports: FinishNeeds,
  caller: Caller,
  typed: string,
  answer: ApprovalAnswer,
): Promise<DeviceApproved> {
  let location = ''
  const done = await finishApproval(site, ports, caller, answer, async () => {
    const { ask } = await see(ports, caller, typed)
    location = placeOf(ask)
    return {
      subjectOf: () => deviceSubjectOf(ask),
      detail: detailOf(ask),
      apply: (approval) => ports.deviceCodes.approve({ ...approval, hash: ask.hash, intentId: approval.spend.id }),
    }
  })
  return { ...done, location }
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
