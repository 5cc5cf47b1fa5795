/** What a change of documents would do: to whoever is to approve it, and to whoever does it. Reads, and writes nothing. */
import type { StoredDocument, UserChange } from '../admin-ports.ts'
import { canonicalJson, type Json } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { nameKey } from '../login/name.ts'
import type { Site, UserId } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { addedLines, differenceOf, linesOf, removedLines, titleLine } from './difference.ts'
import { type Document, documentKinds, parseDocument, revisionOf } from './document.ts'
import { type LockDocument, lockedBy, lockKey, targetInWords } from './lock.ts'
import { showPath } from './place.ts'
import { defaultPreferenceDocument } from './preference.ts'
import { requireKept, type Taken } from './preference-change.ts'
import { isPreset } from './presets.ts'
import { allowing, type Principal } from './principal.ts'
import type { Deed } from './rule.ts'
import { type Foreseen, someOf } from './subject.ts'
import { userRevision } from './user.ts'
import { planUsers, type UsersPlan, userInWords } from './user-plan.ts'

export type PlanNeeds = Pick<Ports, 'documents' | 'users' | 'credentials' | 'factors' | 'random'>

export interface PutAsk {
  readonly documents: readonly Json[]
  /** Replaces what is there, lets passkeys stop working and people lose their way in. */
  readonly force: boolean
  /** Of the one document that was read and edited: the revision that was read, empty where there was none. */
  readonly replaces?: string | undefined
}

interface Planned extends StoredDocument<Document> {
  readonly before: Document | undefined
  /** The revision that it replaces; undefined where none is there. */
  readonly expected: string | undefined
  /** Of a user. */
  readonly id?: UserId | undefined
}

export interface PutPlan extends Pick<UsersPlan, 'people'> {
  readonly all: readonly Planned[]
  /** Those that are not there as they are. */
  readonly changed: readonly Planned[]
  /** What a rule must allow. */
  readonly deeds: readonly Deed[]
  readonly taken: Taken
  readonly foreseen: Foreseen
}

/**
 * @throws Refusal document_invalid, role_missing, own_account, own_role, role_unknown, name_taken, rp_id_unfit, passkeys_lost, ways_lost,
 * nobody_left, document_changed, document_exists
 */
export async function planPut(
  site: Site,
  ports: PlanNeeds,
  principal: Principal,
  { documents, force, replaces }: PutAsk,
): Promise<PutPlan> {
  const wanted = requireDocuments(documents)
  if (replaces !== undefined && wanted.length !== 1) throw unreadable('one document is edited at a time')
  const there = await documentsBefore(ports, wanted)
  const all = wanted.map((document) => planned(ports, document, there.get(identityOf(document))))
  const changed = all.filter(({ revision, expected }) => revision !== expected)
  // Of all of them, and before anything else is told: who may not write a document hears neither that it is there and says the same,
  // nor whom the change would hit.
  const own = all.map(deedOf)
  for (const deed of own) allowing(principal, deed)
  for (const { document } of changed) requireNotOwn(document, principal)
  for (const one of all) requireSpelling(one)
  const { deeds, people } = await planUsers(ports, principal, changed.flatMap(userChange), wanted)
  const before = [...there.values()].map(({ document }) => document)
  const taken = await requireKept(site, ports, { before, wanted, force, caller: principal.user.name })
  for (const { document, expected } of all) {
    if (replaces !== undefined && replaces !== (expected ?? '')) throw new Refusal('document_changed')
    if (expected !== undefined && replaces === undefined && !force) throw existing(keyOf(document))
  }
  return { all, changed, deeds: [...own, ...deeds], people, taken, foreseen: putForeseen(all, changed, taken) }
}

function planned({ random }: Pick<Ports, 'random'>, document: Document, found: Found | undefined): Planned {
  const expected = found?.revision
  if (document.kind !== 'user') return { document, before: found?.document, revision: revisionOf(document), expected }
  const id = found?.id ?? (base64url(random(16)) as UserId)
  return { document, before: found?.document, revision: userRevision(id, document), expected, id }
}

function userChange({ document, before, id }: Planned): UserChange[] {
  if (document.kind !== 'user' || id === undefined) return []
  return [{ document, before: before?.kind === 'user' ? before : undefined, id }]
}

/** Two names that a hurried reader takes for one are one user's: whoever writes the other is told. */
function requireSpelling({ document, before }: Planned): void {
  const [name, there] = [document.metadata.name, before?.metadata.name]
  if (there === undefined || there === name) return
  throw new Refusal('name_taken', {}, { told: `There is a user ${there}: ${name} is the same name.` })
}

const deedOf = ({ document, before }: Pick<Planned, 'document' | 'before'>): Deed => ({
  resource: document.kind,
  verb: before ? 'update' : 'create',
})

const existing = (document: string) =>
  new Refusal('document_exists', { document }, { told: `${document} is there already.` })

export const keyOf = ({ kind, metadata }: Document): string => `${kind}/${metadata.name}`

/** As `keyOf`, but of users as their names are told apart. */
const identityOf = (document: Document): string =>
  document.kind === 'user' ? `user/${nameKey(document.metadata.name)}` : keyOf(document)

function requireDocuments(given: readonly Json[]): readonly Document[] {
  const wanted = given.map((json, i) => {
    const parsed = parseDocument(json)
    if (parsed.kind === 'value') return parsed.value
    const [first] = parsed.problems
    throw unreadable(`${showPath(['documents', i, ...(first?.path ?? [])])}: ${first?.message ?? ''}`)
  })
  const keys = new Set(wanted.map(identityOf))
  if (keys.size < wanted.length) throw unreadable('one kind and name twice')
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

/** What is there. Its id: of a user. */
interface Found extends StoredDocument<Document> {
  readonly id?: UserId
}

async function documentsBefore(
  { documents, users }: Pick<Ports, 'documents' | 'users'>,
  wanted: readonly Pick<Document, 'kind'>[],
): Promise<Map<string, Found>> {
  const kinds = new Set(wanted.map(({ kind }) => kind))
  const lists = await Promise.all(
    [...kinds].map(async (kind): Promise<readonly Found[]> => {
      if (kind === 'user') return users.documents(undefined)
      return (await documents.list({ kind })).map(({ document }) => ({ document, revision: revisionOf(document) }))
    }),
  )
  return new Map(lists.flat().map((found) => [identityOf(found.document), found]))
}

function putForeseen(all: readonly Planned[], changed: readonly Planned[], taken: Taken): Foreseen {
  const state = all.map(({ document, expected = null }) => [keyOf(document), expected])
  const changes = [...changed.flatMap(changeLines), ...takenLines(taken)].join('\n')
  return {
    summary: putInWords(changed) + takenInWords(taken),
    revision: base64url(sha256(canonicalJson(state))),
    changes,
    key: changed.every(isNewLock) ? 'any' : 'vouching',
  }
}

/** A lock only takes away, and whoever needs one is in a hurry: any passkey of who may write it approves it. */
const isNewLock = ({ document, before }: Planned): boolean => document.kind === 'lock' && before === undefined

/** Empty where both are one. */
export function changeLines({ document, before }: Pick<Planned, 'document' | 'before'>): string[] {
  if (!before) return [titleLine(`New: ${keyOf(document)}`), ...addedLines(linesOf(document))]
  const lines = differenceOf(linesOf(before), linesOf(document))
  return lines.length === 0 ? [] : [titleLine(`Replaced: ${keyOf(document)}`), ...lines]
}

const takenLines = ({ lost, shut_out: out }: Taken): string[] => [
  ...(lost.length === 0 ? [] : [titleLine('Passkeys that stop working')]),
  ...removedLines(lost.flatMap(({ user, passkeys }) => linesOf({ [user]: passkeys }))),
  ...(out.length === 0 ? [] : [titleLine('People who can sign in no more')]),
  ...removedLines(out),
]

function takenInWords({ lost, shut_out: out }: Taken): string {
  const count = lost.reduce((sum, { passkeys }) => sum + passkeys, 0)
  const stopping = count === 0 ? '' : `; ${count === 1 ? 'one passkey stops' : `${count} passkeys stop`} working`
  const people = out.length === 1 ? 'one person' : `${out.length} people`
  return out.length === 0 ? stopping : `${stopping}; ${people} can sign in no more`
}

function putInWords(changed: readonly Planned[]): string {
  const [only, ...others] = changed
  if (!only) return 'Leave everything as it is'
  if (others.length === 0) return oneInWords(only)
  const created = changed.filter(({ before }) => !before)
  const replaced = changed.filter(({ before }) => before)
  const words = [severalInWords('create', created), severalInWords('replace', replaced)].filter((part) => part !== '')
  const summary = words.join('; ')
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}`
}

function severalInWords(verb: string, changed: readonly Planned[]): string {
  const keys = changed.map(({ document }) => keyOf(document))
  if (keys.length < 2) return keys.map((key) => `${verb} ${key}`).join('')
  return `${verb} ${keys.length} documents: ${someOf(keys)}`
}

function oneInWords({ document, before }: Planned): string {
  if (document.kind === 'cluster_auth_preference') return 'Change how people log in'
  if (document.kind === 'lock' && !before) return `Lock ${lockInWords(document)}`
  if (document.kind === 'user') return userInWords(document, before?.kind === 'user' ? before : undefined)
  return `${before ? 'Replace' : 'Create'} ${documentInWords(document)}`
}

const lockInWords = ({ spec, metadata }: LockDocument): string =>
  `the ${targetInWords(spec.target)} (lock ${metadata.name})`

const documentInWords = ({ kind, metadata }: Document): string => `the ${kind} ${metadata.name}`

export interface Removal {
  readonly kind: string
  readonly name: string
  readonly force: boolean
}

export interface RemovalPlan {
  /** What a rule must allow. */
  readonly deeds: readonly Deed[]
  readonly taken: Taken
  /** The revision that is removed. */
  readonly expected: string
  readonly foreseen: Foreseen
}

/** @throws Refusal role_preset, document_unknown, role_missing, passkeys_lost, ways_lost, nobody_left */
export async function planRemoval(
  site: Site,
  ports: PlanNeeds,
  principal: Principal,
  { kind, name, force }: Removal,
): Promise<RemovalPlan> {
  if (kind === 'role' && isPreset(name)) throw new Refusal('role_preset')
  const resource = documentKinds.find((one) => one === kind)
  if (!resource) throw new Refusal('document_unknown')
  const deed: Deed = { resource, verb: 'delete' }
  allowing(principal, deed)
  const [stored] = await ports.documents.list({ kind, name })
  if (!stored) throw new Refusal('document_unknown')
  const { document, revision } = stored
  const wanted = kind === defaultPreferenceDocument.kind ? [defaultPreferenceDocument] : []
  const taken = await requireKept(site, ports, { before: [document], wanted, force, caller: principal.user.name })
  const [title, summary] = removalInWords(document)
  const lines = wanted.length > 0 ? differenceOf(linesOf(document), linesOf(defaultPreferenceDocument)) : undefined
  const changes = [titleLine(title), ...(lines ?? removedLines(linesOf(document))), ...takenLines(taken)].join('\n')
  const foreseen = { summary: summary + takenInWords(taken), revision, changes, key: 'vouching' } as const
  return { deeds: [deed], taken, expected: revision, foreseen }
}

function removalInWords(document: Document): readonly [title: string, summary: string] {
  if (document.kind === 'cluster_auth_preference')
    return ['Back to the defaults: how people log in', 'Set how people log in back to the defaults']
  const title = `Removed: ${keyOf(document)}`
  if (document.kind === 'lock') return [title, `Unlock ${lockInWords(document)}`]
  return [title, `Remove ${documentInWords(document)}`]
}
