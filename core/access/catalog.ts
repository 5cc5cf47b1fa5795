/** The cluster's documents: reading, creating and replacing several at once, removing. What is stored was read by document.ts. */
import type { DocumentChange, WrittenDocument } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import { rpIdsOf } from '../login/relying-party.ts'
import type { Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type ApprovalNeeds, type Request, standingEvent, withStanding } from './approved.ts'
import { keyOf, type PlanNeeds, type PutAsk, type PutPlan, planPut, planRemoval, type Removal } from './catalog-plan.ts'
import { type Document, documentKinds, revisionOf } from './document.ts'
import { defaultPreferenceDocument } from './preference.ts'
import { nothingTaken, type Taken } from './preference-change.ts'
import { presets } from './presets.ts'
import { allowing, may, type Principal } from './principal.ts'
import { type Foreseen, someOf } from './subject.ts'
import { foreseeUserRemoval, removeUser, userDeletion } from './users.ts'

export interface Filter {
  readonly kind?: string | undefined
  readonly name?: string | undefined
}

export interface Listed extends WrittenDocument<Document> {
  /** Nobody wrote it: a role that is built in and cannot be changed, or the preference while there is none. */
  readonly preset: boolean
}

/** Those that the caller's rules let him read. @throws Refusal role_missing where there is none */
export async function listDocuments(
  { documents, users }: Pick<Ports, 'documents' | 'users'>,
  principal: Principal,
  filter: Filter,
): Promise<Listed[]> {
  const readable = readableKinds(principal, filter.kind)
  const [policy, people] = await Promise.all([
    filter.kind === 'user' ? [] : documents.list(filter),
    readable.has('user') ? users.documents(filter.name) : [],
  ])
  const stored = policy.filter(({ document }) => readable.has(document.kind))
  const isThere = (kind: string) => stored.some(({ document }) => document.kind === kind)
  const builtIn = [...presets, defaultPreferenceDocument]
    .filter(
      ({ kind, metadata }) =>
        readable.has(kind) && kind === (filter.kind ?? kind) && metadata.name === (filter.name ?? metadata.name),
    )
    .filter(({ kind }) => kind === 'role' || !isThere(kind))
    .map((document) => ({ document, revision: revisionOf(document), by: undefined, preset: true }))
  const written = [...stored, ...people].map(({ document, revision, by }) => ({ document, revision, by }))
  return [...builtIn, ...written.map((one) => ({ ...one, preset: false }))]
}

function readableKinds(principal: Principal, kind: string | undefined): ReadonlySet<string> {
  const wanted = documentKinds.filter((one) => one === (kind ?? one))
  const readable = wanted.filter((one) => may(principal, { resource: one, verb: 'read' }))
  const [first] = wanted
  if (first && readable.length === 0) allowing(principal, { resource: first, verb: 'read' })
  return new Set(readable)
}

export interface Put {
  readonly kind: string
  readonly name: string
  readonly revision: string
  readonly outcome: 'created' | 'replaced' | 'unchanged'
}

type WriteNeeds = ApprovalNeeds & PlanNeeds & Pick<Ports, 'audit'>

export type PutOutcome = Taken & { readonly documents: readonly Put[] }

/** @throws Refusal as `putDocuments` */
export const foreseePut = async (site: Site, ports: PlanNeeds, principal: Principal, ask: PutAsk): Promise<Foreseen> =>
  (await planPut(site, ports, principal, ask)).foreseen

/**
 * All or none. What changes nothing asks for nothing.
 * @throws Refusal document_invalid, document_exists, document_changed, own_account, own_role, role_unknown, name_taken, last_vouching,
 * rp_id_unfit, passkeys_lost, ways_lost, nobody_left, token_invalid, role_missing, tap_missing, login_untapped, login_too_old
 */
export function putDocuments(
  site: Site,
  ports: WriteNeeds,
  principal: Principal,
  ask: PutAsk,
  request: Request,
): Promise<PutOutcome> {
  return recordingRefusals(ports, principal.asking, 'document.put', async () => {
    const plan = await planPut(site, ports, principal, ask)
    const { all, changed, deeds, people, taken, foreseen } = plan
    if (changed.length > 0) {
      const expected = { ...foreseen, deeds }
      await withStanding(site, ports, principal, 'documentsPut', request, expected, async (standing) => {
        const { actor, approved, under } = standing
        const names = changed.map(({ document }) => keyOf(document)).join(' ')
        const detail = { documents: names, ...countsOf(taken) }
        const evidence = { documents: changed.map(({ document }) => document) }
        const event = standingEvent(ports, principal, approved, request, 'document.put', detail, evidence)
        const users = people && { ...people, rpIds: rpIdsOf(under.site) }
        await ports.documents.put(actor, policyChanges(plan), event, users)
      })
      await ports.preferences.newest()
    }
    return { documents: all.map(putOf), ...taken }
  })
}

const policyChanges = ({ changed }: PutPlan): DocumentChange[] =>
  changed.flatMap(({ document, revision, expected }) =>
    document.kind === 'user' ? [] : [{ document, revision, expected }],
  )

function countsOf({ lost, shut_out: out }: Taken) {
  const stopped = lost.reduce((sum, { passkeys }) => sum + passkeys, 0)
  return { ...(stopped > 0 && { passkeys_lost: stopped }), ...(out.length > 0 && { shut_out: out.length }) }
}

function putOf({ document, revision, expected }: PutPlan['all'][number]): Put {
  const outcome = expected === undefined ? 'created' : expected === revision ? 'unchanged' : 'replaced'
  return { kind: document.kind, name: document.metadata.name, revision, outcome }
}

/** @throws Refusal as `removeDocument` */
export const foreseeRemoval = async (
  site: Site,
  ports: PlanNeeds & Pick<Ports, 'now'>,
  principal: Principal,
  removal: Removal,
): Promise<Foreseen> => {
  if (removal.kind === 'user') {
    allowing(principal, userDeletion)
    return foreseeUserRemoval(ports, principal, removal.name)
  }
  const { foreseen } = await planRemoval(site, ports, principal, removal)
  if (removal.kind === 'role') await requireUnheld(ports, removal.name)
  return foreseen
}

/** Nobody taps in vain; the batch asks again. */
async function requireUnheld({ users, now }: Pick<Ports, 'users' | 'now'>, role: string): Promise<void> {
  const holders = (await users.list(now())).filter(({ roles }) => roles.includes(role)).map(({ name }) => name)
  if (holders.length > 0) throw new Refusal('role_held', {}, { told: `${someOf(holders)} would lose it.` })
}

/**
 * Of the preference: the defaults hold again. A user: as `removeUser`. `force`: as for `putDocuments`.
 * @throws Refusal role_preset, document_unknown, document_changed, role_held, passkeys_lost, ways_lost, nobody_left, token_invalid,
 * role_missing, tap_missing, login_untapped, login_too_old
 */
export async function removeDocument(
  site: Site,
  ports: WriteNeeds,
  principal: Principal,
  removal: Removal,
  request: Request,
): Promise<Taken> {
  const { kind, name } = removal
  if (kind === 'user') {
    await removeUser(site, ports, principal, name, request, 'documentRemove')
    return nothingTaken
  }
  return recordingRefusals(ports, principal.asking, 'document.remove', async () => {
    const { deeds, taken, expected: revision, foreseen } = await planRemoval(site, ports, principal, removal)
    const expected = { ...foreseen, deeds }
    await withStanding(site, ports, principal, 'documentRemove', request, expected, async ({ actor, approved }) => {
      const detail = { document: `${kind}/${name}`, ...countsOf(taken) }
      const event = standingEvent(ports, principal, approved, request, 'document.remove', detail)
      await ports.documents.remove(actor, { kind, name, expected: revision }, event)
    })
    if (kind === 'cluster_auth_preference') await ports.preferences.newest()
    return taken
  })
}
