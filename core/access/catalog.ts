/** The cluster's documents: reading, creating and replacing several at once, removing. What is stored was read by document.ts. */
import type { DocumentChange, StoredDocument } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import type { Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type ApprovalNeeds, type Request, standingEvent, withStanding } from './approved.ts'
import { keyOf, type PlanNeeds, type PutAsk, planPut, planRemoval, type Removal } from './catalog-plan.ts'
import { revisionOf } from './document.ts'
import { defaultPreferenceDocument } from './preference.ts'
import { presets } from './presets.ts'
import type { Principal } from './principal.ts'
import type { Lost } from './rp-change.ts'
import { type Foreseen, someOf } from './subject.ts'

export interface Filter {
  readonly kind?: string | undefined
  readonly name?: string | undefined
}

export interface Listed extends StoredDocument {
  /** Nobody wrote it: a role that is built in and cannot be changed, or the preference while there is none. */
  readonly preset: boolean
}

export async function listDocuments({ documents }: Pick<Ports, 'documents'>, filter: Filter): Promise<Listed[]> {
  const stored = await documents.list(filter)
  const isThere = (kind: string) => stored.some(({ document }) => document.kind === kind)
  const builtIn = [...presets, defaultPreferenceDocument]
    .filter(({ kind, metadata }) => kind === (filter.kind ?? kind) && metadata.name === (filter.name ?? metadata.name))
    .filter(({ kind }) => kind === 'role' || !isThere(kind))
    .map((document) => ({ document, revision: revisionOf(document), preset: true }))
  return [...builtIn, ...stored.map((one) => ({ ...one, preset: false }))]
}

export interface Put {
  readonly kind: string
  readonly name: string
  readonly revision: string
  readonly outcome: 'created' | 'replaced' | 'unchanged'
}

type WriteNeeds = ApprovalNeeds & Pick<Ports, 'documents' | 'audit'>

export interface PutOutcome {
  readonly documents: readonly Put[]
  /** Whose passkeys stop working with that. */
  readonly lost: readonly Lost[]
}

/** @throws Refusal as `putDocuments` */
export const foreseePut = async (site: Site, ports: PlanNeeds, principal: Principal, ask: PutAsk): Promise<Foreseen> =>
  (await planPut(site, ports, principal, ask)).foreseen

/**
 * All or none. What changes nothing asks for nothing.
 * @throws Refusal document_invalid, document_exists, document_changed, own_account, rp_id_unfit, passkeys_lost, nobody_left,
 * token_invalid, role_missing, tap_missing, login_too_old
 */
export function putDocuments(
  site: Site,
  ports: WriteNeeds,
  principal: Principal,
  ask: PutAsk,
  request: Request,
): Promise<PutOutcome> {
  return recordingRefusals(ports, principal.asking, 'document.put', async () => {
    const { all, changed, lost, foreseen } = await planPut(site, ports, principal, ask)
    if (changed.length > 0) {
      await withStanding(site, ports, principal, 'documentsPut', request, foreseen, async ({ actor, approved }) => {
        const stopped = lost.reduce((sum, { passkeys }) => sum + passkeys, 0)
        const names = changed.map(({ document }) => keyOf(document)).join(' ')
        const detail = { documents: names, ...(stopped > 0 && { passkeys_lost: stopped }) }
        const evidence = { documents: changed.map(({ document }) => document) }
        const event = standingEvent(ports, principal, approved, request, 'document.put', detail, evidence)
        await ports.documents.put(actor, changed, event)
      })
      await ports.preferences.newest()
    }
    return { documents: all.map(putOf), lost }
  })
}

function putOf({ document, revision, expected }: DocumentChange): Put {
  const outcome = expected === undefined ? 'created' : expected === revision ? 'unchanged' : 'replaced'
  return { kind: document.kind, name: document.metadata.name, revision, outcome }
}

/** @throws Refusal as `removeDocument` */
export const foreseeRemoval = async (
  site: Site,
  ports: PlanNeeds & Pick<Ports, 'users' | 'now'>,
  removal: Removal,
): Promise<Foreseen> => {
  const { foreseen } = await planRemoval(site, ports, removal)
  if (removal.kind === 'role') await requireUnheld(ports, removal.name)
  return foreseen
}

/** Nobody taps in vain; the batch asks again. */
async function requireUnheld({ users, now }: Pick<Ports, 'users' | 'now'>, role: string): Promise<void> {
  const holders = (await users.list(now())).filter(({ roles }) => roles.includes(role)).map(({ name }) => name)
  if (holders.length > 0) throw new Refusal('role_held', {}, { told: `${someOf(holders)} would lose it.` })
}

/**
 * Of the preference: the defaults hold again. `force` lets passkeys stop working.
 * @throws Refusal role_preset, document_unknown, document_changed, role_held, passkeys_lost, nobody_left, token_invalid, role_missing,
 * tap_missing, login_too_old
 */
export function removeDocument(
  site: Site,
  ports: WriteNeeds,
  principal: Principal,
  removal: Removal,
  request: Request,
): Promise<readonly Lost[]> {
  const { kind, name } = removal
  return recordingRefusals(ports, principal.asking, 'document.remove', async () => {
    const { lost, expected, foreseen } = await planRemoval(site, ports, removal)
    await withStanding(site, ports, principal, 'documentRemove', request, foreseen, async ({ actor, approved }) => {
      const detail = { document: `${kind}/${name}` }
      const event = standingEvent(ports, principal, approved, request, 'document.remove', detail)
      await ports.documents.remove(actor, { kind, name, expected }, event)
    })
    if (kind === 'cluster_auth_preference') await ports.preferences.newest()
    return lost
  })
}
