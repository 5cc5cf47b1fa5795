/** The cluster's documents: reading, creating and replacing several at once, removing. What is stored was read by document.ts. */
import type { DocumentChange, WrittenDocument } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import type { Json } from '../intent.ts'
import type { Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type Document, parseDocument, revisionOf } from './document.ts'
import { lockedBy, lockKey, targetInWords } from './lock.ts'
import { showPath } from './place.ts'
import { defaultPreferenceDocument } from './preference.ts'
import { isPreset, presets } from './presets.ts'
import { actorOf, type Principal } from './principal.ts'
import { type Lost, requireKept } from './rp-change.ts'

export interface Filter {
  readonly kind?: string | undefined
  readonly name?: string | undefined
}

export interface Listed extends WrittenDocument {
  /** Nobody wrote it: a role that is built in and cannot be changed, or the preference while there is none. */
  readonly preset: boolean
}

export async function listDocuments({ documents }: Pick<Ports, 'documents'>, filter: Filter): Promise<Listed[]> {
  const stored = await documents.list(filter)
  const isThere = (kind: string) => stored.some(({ document }) => document.kind === kind)
  const builtIn = [...presets, defaultPreferenceDocument]
    .filter(({ kind, metadata }) => kind === (filter.kind ?? kind) && metadata.name === (filter.name ?? metadata.name))
    .filter(({ kind }) => kind === 'role' || !isThere(kind))
    .map((document) => ({ document, revision: revisionOf(document), by: undefined, preset: true }))
  return [...builtIn, ...stored.map((one) => ({ ...one, preset: false }))]
}

export interface Put {
  readonly kind: string
  readonly name: string
  readonly revision: string
  readonly outcome: 'created' | 'replaced' | 'unchanged'
}

type PutNeeds = Pick<Ports, 'now' | 'documents' | 'preferences' | 'credentials' | 'audit'>

export interface PutAsk {
  readonly documents: readonly Json[]
  /** Replaces what is there, and lets passkeys stop working. */
  readonly force: boolean
  /** Of the one document that was read and edited: the revision that was read, empty where there was none. */
  readonly replaces?: string | undefined
}

export interface PutOutcome {
  readonly documents: readonly Put[]
  /** Whose passkeys stop working with that. */
  readonly lost: readonly Lost[]
}

/**
 * All or none.
 * @throws Refusal document_invalid, document_exists, document_changed, own_account, rp_id_unfit, passkeys_lost, nobody_left,
 * token_invalid, role_missing
 */
export function putDocuments(site: Site, ports: PutNeeds, principal: Principal, ask: PutAsk): Promise<PutOutcome> {
  const { asking, user, session } = principal
  const { force, replaces } = ask
  return recordingRefusals(ports, asking, 'document.put', async () => {
    const wanted = requireDocuments(ask.documents, principal)
    if (replaces !== undefined && wanted.length !== 1) throw unreadable('one document is edited at a time')
    const before = await documentsBefore(ports, wanted)
    const lost = await requireKept(site, ports, { before: [...before.values()], wanted, force })
    const changes = wanted.map((document): DocumentChange => {
      const there = before.get(keyOf(document))
      const expected = there && revisionOf(there)
      if (replaces !== undefined && replaces !== (expected ?? '')) throw new Refusal('document_changed')
      if (expected !== undefined && replaces === undefined && !force) throw existing(keyOf(document))
      return { document, revision: revisionOf(document), expected }
    })
    const changed = changes.filter(({ revision, expected }) => revision !== expected)
    if (changed.length > 0) {
      const who = { userId: user.id, sessionId: session.id }
      const stopped = lost.reduce((sum, { passkeys }) => sum + passkeys, 0)
      const names = changed.map(({ document }) => keyOf(document)).join(' ')
      const detail = { documents: names, ...(stopped > 0 && { passkeys_lost: stopped }) }
      const evidence = { documents: changed.map(({ document }) => document) }
      const event = {
        at: ports.now(),
        kind: 'document.put',
        outcome: 'done',
        asking,
        ...who,
        detail,
        evidence,
      } as const
      await ports.documents.put(actorOf(principal, 'editor'), changed, event)
      await ports.preferences.newest()
    }
    return { documents: changes.map(putOf), lost }
  })
}

const existing = (document: string) =>
  new Refusal('document_exists', { document }, { told: `${document} is there already.` })

const keyOf = ({ kind, metadata }: Document): string => `${kind}/${metadata.name}`

function putOf({ document, revision, expected }: DocumentChange): Put {
  const outcome = expected === undefined ? 'created' : expected === revision ? 'unchanged' : 'replaced'
  return { kind: document.kind, name: document.metadata.name, revision, outcome }
}

function requireDocuments(given: readonly Json[], caller: Principal): readonly Document[] {
  const wanted = given.map((json, i) => {
    const parsed = parseDocument(json)
    if (parsed.kind === 'value') return parsed.value
    const [first] = parsed.problems
    throw unreadable(`${showPath(['documents', i, ...(first?.path ?? [])])}: ${first?.message ?? ''}`)
  })
  const keys = new Set(wanted.map(keyOf))
  if (keys.size < wanted.length) throw unreadable('one kind and name twice')
  for (const document of wanted) requireNotOwn(document, caller)
  return wanted
}

const unreadable = (why: string) => new Refusal('document_invalid', { why }, { told: `${why}.` })

/** Whoever locks himself out cannot mend it; another administrator can do it for him. */
function requireNotOwn(document: Document, { user, roles, credentialId }: Principal): void {
  if (document.kind !== 'lock') return
  const key = lockedBy(document)
  // Whoever may lift a lock holds this one, so there is no other administrator who could.
  if (key === lockKey('role', 'editor'))
    throw unreadable('the role editor cannot be locked: nobody could lift the lock')
  const isHeld = roles.some((role) => key === lockKey('role', role))
  if (isHeld) throw own(`You hold the ${targetInWords(document.spec.target)}: this lock would keep you out too.`)
  if (key === lockKey('mfa_device', credentialId)) throw own('You are signed in with that passkey.')
  if (key === lockKey('user', user.name)) throw own('That is you.')
}

const own = (told: string) => new Refusal('own_account', {}, { told })

async function documentsBefore(
  { documents }: Pick<Ports, 'documents'>,
  wanted: readonly Pick<Document, 'kind'>[],
): Promise<Map<string, Document>> {
  const kinds = new Set(wanted.map(({ kind }) => kind))
  const lists = await Promise.all([...kinds].map((kind) => documents.list({ kind })))
  return new Map(lists.flat().map(({ document }) => [keyOf(document), document]))
}

/**
 * Of the preference: the defaults hold again. `force` lets passkeys stop working.
 * @throws Refusal role_preset, document_unknown, role_held, passkeys_lost, nobody_left, token_invalid, role_missing
 */
export function removeDocument(
  site: Site,
  ports: PutNeeds,
  principal: Principal,
  { kind, name, force }: { readonly kind: string; readonly name: string; readonly force: boolean },
): Promise<readonly Lost[]> {
  const { asking, user, session } = principal
  return recordingRefusals(ports, asking, 'document.remove', async () => {
    if (kind === 'role' && isPreset(name)) throw new Refusal('role_preset')
    const lost = await lostByRemoving(site, ports, kind, force)
    const who = { userId: user.id, sessionId: session.id, detail: { document: `${kind}/${name}` } }
    const event = { at: ports.now(), kind: 'document.remove', outcome: 'done', asking, ...who } as const
    await ports.documents.remove(actorOf(principal, 'editor'), kind, name, event)
    if (kind === 'cluster_auth_preference') await ports.preferences.newest()
    return lost
  })
}

async function lostByRemoving(site: Site, ports: PutNeeds, kind: string, force: boolean): Promise<readonly Lost[]> {
  if (kind !== 'cluster_auth_preference') return []
  const before = await documentsBefore(ports, [{ kind }])
  return requireKept(site, ports, { before: [...before.values()], wanted: [defaultPreferenceDocument], force })
}
