/**
 * Administrative requests of a page of ours: the tap signs the very request that a program would send. In the place of the program's login
 * stands the browser session, in that of its key the browser's ceremony cookie; so cookies alone change nothing, a tap is of use in this
 * browser only, and neither does a program's tap anything here. Links get their keys in the page: the edge sees the public half.
 */
import type { PageAction } from '../api/action-operations.ts'
import type { BodyOf } from '../api/operation.ts'
import { type Operations, operations } from '../api/operations.ts'
import { recordingRefusals } from '../audit.ts'
import type { Json } from '../intent.ts'
import { beginIntent } from '../login/ceremony.ts'
import { type RequestOptions, requestOptions } from '../login/options.ts'
import { withSite } from '../login/with-preference.ts'
import { type Holder, minutes, type Site } from '../model.ts'
import type { Caller, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import type { SentTap } from '../tap/sent.ts'
import { requireAble } from '../tap/waiting.ts'
import type { Request } from './approved.ts'
import { changesHash } from './difference.ts'
import type { Requester } from './principal.ts'
import { type Foreseen, requestSubject } from './subject.ts'
import { foreseeInvite, foreseeReset, inviteUser, type OneTimeLink, resetUser } from './users.ts'

const ttl = minutes(5)

type ActNeeds = Parameters<typeof inviteUser>[1] & Pick<Ports, 'sessions'>
type BeginNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'preferences' | 'sessions' | 'credentials' | 'audit'> &
  Parameters<typeof foreseeReset>[0]

interface Action<Body> {
  foresee(ports: BeginNeeds, requester: Requester, body: Body): Promise<Foreseen>
  act(site: Site, ports: ActNeeds, requester: Requester, body: Body, request: Request): Promise<OneTimeLink>
}

const table: { readonly [A in PageAction]: Action<BodyOf<Operations[A]>> } = {
  userAdd: { foresee: foreseeInvite, act: inviteUser },
  userReset: { foresee: foreseeReset, act: resetUser },
}

/** The table's rows take different bodies; each reads its own. */
const actionOf = (name: PageAction) => table[name] as Action<unknown>

/** `body`: as it comes, and as the tap names it by its hash. */
export interface Asked {
  readonly operation: PageAction
  readonly body: Json
}

/** @throws Refusal session_missing, passkey_missing, passkeys_lesser, passkeys_elsewhere, and what the action itself would refuse */
export function beginPageAction(
  site: Site,
  ports: BeginNeeds,
  caller: Caller,
  holder: Holder,
  { operation, body: json }: Asked,
): Promise<{ ticket: string; options: RequestOptions }> {
  return recordingRefusals(ports, caller.asking, 'tap.begin', async () => {
    const requester = await requesterOf(ports, { ...caller, holder })
    const body = operations[operation].body(json, 'body')
    const { changes, ...said } = await actionOf(operation).foresee(ports, requester, body)
    const request = requestSubject(operations[operation], { ...noParameters, json })
    const subject = { ...request, ...said, changes: changesHash(changes) }
    const { user } = requester
    const able = await requireAble(ports, subject, user)
    const { intent, ticket } = beginIntent(site, ports, { purpose: 'admin', user: user.id, holder, subject, ttl })
    return withSite(site, ports, async (here) => ({ ticket, options: requestOptions(here, intent, ttl, able) }))
  })
}

const noParameters = { parameters: {}, query: {} } as const

/** @throws Refusal session_missing, and as the action */
export async function makePageAction(
  site: Site,
  ports: ActNeeds,
  caller: Caller,
  { operation, body: json }: Asked,
  sent: SentTap,
): Promise<OneTimeLink> {
  const requester = await recordingRefusals(ports, caller.asking, 'request', () => requesterOf(ports, caller))
  const body = operations[operation].body(json, 'body')
  return actionOf(operation).act(site, ports, requester, body, { ...noParameters, json, sent })
}

/** @throws Refusal session_missing, wrong_holder */
async function requesterOf(
  { sessions, now }: Pick<Ports, 'sessions' | 'now'>,
  { asking, holder, claim }: Caller,
): Promise<Requester> {
  const found = claim && (await sessions.findWithRoles(claim, now()))
  if (!claim || !found) throw new Refusal('session_missing')
  if (!holder) throw new Refusal('wrong_holder', { user: found.user.id })
  return { ...found, jkt: holder, asking, session: { id: claim.id }, claim }
}
