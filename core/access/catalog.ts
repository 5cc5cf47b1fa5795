/** The cluster's documents: reading, creating and replacing several at once, removing. What is stored was read by document.ts. */
import type { DocumentChange, WrittenDocument } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import type { Json } from '../intent.ts'
import type { Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type Document, documentKinds, parseDocument, revisionOf } from './document.ts'
import { lockedBy, lockKey, targetInWords } from './lock.ts'
import { showPath } from './place.ts'
import { defaultPreferenceDocument } from './preference.ts'
import { nothingTaken, requireKept, type Taken } from './preference-change.ts'
import { isPreset, presets } from './presets.ts'
import { actorOf, allowing, may, type Principal } from './principal.ts'
import type { Deed } from './rule.ts'

export interface Filter {
  readonly kind?: string | undefined
  readonly name?: string | undefined
}

export interface Listed extends WrittenDocument {
  /** Nobody wrote it: a role that is built in and cannot be changed, or the preference while there is none. */
  readonly preset: boolean
}

/** Those that the caller's rules let him read. @throws Refusal role_missing where there is none */
export async function listDocuments(
  { documents }: Pick<Ports, 'documents'>,
  principal: Principal,
  filter: Filter,
): Promise<Listed[]> {
  const readable = readableKinds(principal, filter.kind)
  const stored = (await documents.list(filter)).filter(({ document }) => readable.has(document.kind))
  const isThere = (kind: string) => stored.some(({ document }) => document.kind === kind)
  const builtIn = [...presets, defaultPreferenceDocument]
    .filter(
      ({ kind, metadata }) =>
        readable.has(kind) && kind === (filter.kind ?? kind) && metadata.name === (filter.name ?? metadata.name),
    )
    .filter(({ kind }) => kind === 'role' || !isThere(kind))
    .map((document) => ({ document, revision: revisionOf(document), by: undefined, preset: true }))
  return [...builtIn, ...stored.map((one) => ({ ...one, preset: false }))]
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

type PutNeeds = Pick<Ports, 'now' | 'documents' | 'preferences' | 'credentials' | 'factors' | 'audit'>

export interface PutAsk {
  readonly documents: readonly Json[]
  /** Replaces what is there, lets passkeys stop working and people lose their way in. */
  readonly force: boolean
  /** Of the one document that was read and edited: the revision that was read, empty where there was none. */
  readonly replaces?: string | undefined
}

export type PutOutcome = Taken & { readonly documents: readonly Put[] }

/**
 * All or none.
 * @throws Refusal document_invalid, document_exists, document_changed, own_account, rp_id_unfit, passkeys_lost, ways_lost,
 * nobody_left, token_invalid, role_missing
 */
export function putDocuments(site: Site, ports: PutNeeds, principal: Principal, ask: PutAsk): Promise<PutOutcome> {
  const { asking, user, session } = principal
  const { force, replaces } = ask
  return recordingRefusals(ports, asking, 'document.put', async () => {
    const wanted = requireDocuments(ask.documents, principal)
    if (replaces !== undefined && wanted.length !== 1) throw unreadable('one document is edited at a time')
    const before = await documentsBefore(ports, wanted)
    // Of all of them: that a document is there already and says the same is told to nobody who may not write it.
    const expectedOf = (document: Document) => before.get(keyOf(document))
    const deeds = wanted.map((document) => deedOf(document, expectedOf(document) !== undefined))
    const actor = actorOf(principal, deeds)
    const asked = { before: [...before.values()], wanted, force, caller: user.name }
    const taken = await requireKept(site, ports, asked)
    const changes = wanted.map((document): DocumentChange => {
      const found = expectedOf(document)
      const expected = found && revisionOf(found)
      if (replaces !== undefined && replaces !== (expected ?? '')) throw new Refusal('document_changed')
      if (expected !== undefined && replaces === undefined && !force) throw existing(keyOf(document))
      return { document, revision: revisionOf(document), expected }
    })
    const changed = changes.filter(({ revision, expected }) => revision !== expected)
    if (changed.length > 0) {
      const who = { userId: user.id, sessionId: session.id }
      const names = changed.map(({ document }) => keyOf(document)).join(' ')
      const detail = { documents: names, ...countsOf(taken) }
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
      await ports.documents.put(actor, changed, event)
      await ports.preferences.newest()
    }
    return { documents: changes.map(putOf), ...taken }
  })
}

function countsOf({ lost, shut_out: out }: Taken) {
  const stopped = lost.reduce((sum, { passkeys }) => sum + passkeys, 0)
  return { ...(stopped > 0 && { passkeys_lost: stopped }), ...(out.length > 0 && { shut_out: out.length }) }
}

const existing = (document: string) =>
  new Refusal('document_exists', { document }, { told: `${document} is there already.` })

const keyOf = ({ kind, metadata }: Document): string => `${kind}/${metadata.name}`

function putOf({ document, revision, expected }: DocumentChange): Put {
  const outcome = expected === undefined ? 'created' : expected === revision ? 'unchanged' : 'replaced'
  return { kind: document.kind, name: document.metadata.name, revision, outcome }
}

const deedOf = ({ kind }: Document, isThere: boolean): Deed => ({
  resource: kind,
  verb: isThere ? 'update' : 'create',
})

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

/**
 * Whoever locks himself out cannot mend it; another administrator can do it for him. And nobody gives himself rights, by a role that
 * he holds.
 */
function requireNotOwn(document: Document, { user, roles, factorId }: Principal): void {
  if (document.kind === 'role' && roles.includes(document.metadata.name)) throw new Refusal('own_role')
  if (document.kind !== 'lock') return
  const key = lockedBy(document)
  // Whoever may lift a lock holds this one, so there is no other administrator who could.
  if (key === lockKey('role', 'editor'))
    throw unreadable('the role editor cannot be locked: nobody could lift the lock')
  const isHeld = roles.some((role) => key === lockKey('role', role))
  if (isHeld) throw own(`You hold the ${targetInWords(document.spec.target)}: this lock would keep you out too.`)
  if (key === lockKey('mfa_device', factorId)) throw own('You are signed in with that passkey.')
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
 * Of the preference: the defaults hold again. `force`: as for `putDocuments`.
 * @throws Refusal role_preset, document_unknown, role_held, passkeys_lost, ways_lost, nobody_left, token_invalid, role_missing
 */
export function removeDocument(
  site: Site,
  ports: PutNeeds,
  principal: Principal,
  { kind, name, force }: { readonly kind: string; readonly name: string; readonly force: boolean },
): Promise<Taken> {
  const { asking, user, session } = principal
  return recordingRefusals(ports, asking, 'document.remove', async () => {
    if (kind === 'role' && isPreset(name)) throw new Refusal('role_preset')
    const resource = documentKinds.find((one) => one === kind)
    if (!resource) throw new Refusal('document_unknown')
    const actor = actorOf(principal, [{ resource, verb: 'delete' }])
    const taken = await takenByRemoving(site, ports, { kind, force, caller: user.name })
    const detail = { document: `${kind}/${name}`, ...countsOf(taken) }
    const who = { userId: user.id, sessionId: session.id, detail }
    const event = { at: ports.now(), kind: 'document.remove', outcome: 'done', asking, ...who } as const
    await ports.documents.remove(actor, kind, name, event)
    if (kind === 'cluster_auth_preference') await ports.preferences.newest()
    return taken
  })
}

async function takenByRemoving(
  site: Site,
  ports: PutNeeds,
  { kind, ...asked }: { readonly kind: string; readonly force: boolean; readonly caller: string },
): Promise<Taken> {
  if (kind !== 'cluster_auth_preference') return nothingTaken
  const before = await documentsBefore(ports, [{ kind }])
  return requireKept(site, ports, { before: [...before.values()], wanted: [defaultPreferenceDocument], ...asked })
}
