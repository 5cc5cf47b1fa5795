/** What a change of documents would do: to whoever is to approve it, and to whoever does it. Reads, and writes nothing. */
import type { DocumentChange } from '../admin-ports.ts'
import { canonicalJson, type Json } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import type { Site, User } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { addedLines, differenceOf, linesOf, removedLines, titleLine } from './difference.ts'
import { type Document, parseDocument, revisionOf } from './document.ts'
import { type LockDocument, lockedBy, lockKey, targetInWords } from './lock.ts'
import { showPath } from './place.ts'
import { defaultPreferenceDocument } from './preference.ts'
import { isPreset } from './presets.ts'
import { type Lost, requireKept } from './rp-change.ts'
import { type Foreseen, someOf } from './subject.ts'

export type PlanNeeds = Pick<Ports, 'documents' | 'credentials'>

export interface PutAsk {
  readonly documents: readonly Json[]
  /** Replaces what is there, and lets passkeys stop working. */
  readonly force: boolean
  /** Of the one document that was read and edited: the revision that was read, empty where there was none. */
  readonly replaces?: string | undefined
}

interface Planned extends DocumentChange {
  readonly before: Document | undefined
}

export interface PutPlan {
  readonly all: readonly Planned[]
  /** Those that are not there as they are. */
  readonly changed: readonly Planned[]
  readonly lost: readonly Lost[]
  readonly foreseen: Foreseen
}

/** @throws Refusal document_invalid, document_exists, document_changed, own_account, rp_id_unfit, passkeys_lost, nobody_left */
export async function planPut(
  site: Site,
  ports: PlanNeeds,
  { user }: { readonly user: User },
  { documents, force, replaces }: PutAsk,
): Promise<PutPlan> {
  const wanted = requireDocuments(documents, user.name)
  if (replaces !== undefined && wanted.length !== 1) throw unreadable('one document is edited at a time')
  const there = await documentsBefore(ports, wanted)
  const lost = await requireKept(site, ports, { before: [...there.values()], wanted, force })
  const all = wanted.map((document): Planned => {
    const before = there.get(keyOf(document))
    const expected = before && revisionOf(before)
    if (replaces !== undefined && replaces !== (expected ?? '')) throw new Refusal('document_changed')
    if (expected !== undefined && replaces === undefined && !force) throw existing(keyOf(document))
    return { document, before, revision: revisionOf(document), expected }
  })
  const changed = all.filter(({ revision, expected }) => revision !== expected)
  return { all, changed, lost, foreseen: putForeseen(all, changed, lost) }
}

const existing = (document: string) =>
  new Refusal('document_exists', { document }, { told: `${document} is there already.` })

export const keyOf = ({ kind, metadata }: Document): string => `${kind}/${metadata.name}`

function requireDocuments(given: readonly Json[], caller: string): readonly Document[] {
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
function requireNotOwn(document: Document, caller: string): void {
  if (document.kind === 'lock' && lockedBy(document) === lockKey('user', caller)) throw new Refusal('own_account')
}

async function documentsBefore(
  { documents }: Pick<Ports, 'documents'>,
  wanted: readonly Pick<Document, 'kind'>[],
): Promise<Map<string, Document>> {
  const kinds = new Set(wanted.map(({ kind }) => kind))
  const lists = await Promise.all([...kinds].map((kind) => documents.list({ kind })))
  return new Map(lists.flat().map(({ document }) => [keyOf(document), document]))
}

function putForeseen(all: readonly Planned[], changed: readonly Planned[], lost: readonly Lost[]): Foreseen {
  const state = all.map(({ document, expected = null }) => [keyOf(document), expected])
  const changes = [...changed.flatMap(changeLines), ...lostLines(lost)].join('\n')
  return {
    summary: putInWords(changed) + lostInWords(lost),
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

const lostLines = (lost: readonly Lost[]): string[] =>
  lost.length === 0
    ? []
    : [
        titleLine('Passkeys that stop working'),
        ...removedLines(lost.flatMap(({ user, passkeys }) => linesOf({ [user]: passkeys }))),
      ]

function lostInWords(lost: readonly Lost[]): string {
  const count = lost.reduce((sum, { passkeys }) => sum + passkeys, 0)
  return count === 0 ? '' : `; ${count === 1 ? 'one passkey stops' : `${count} passkeys stop`} working`
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
  readonly lost: readonly Lost[]
  /** The revision that is removed. */
  readonly expected: string
  readonly foreseen: Foreseen
}

/** @throws Refusal role_preset, document_unknown, passkeys_lost, nobody_left */
export async function planRemoval(site: Site, ports: PlanNeeds, { kind, name, force }: Removal): Promise<RemovalPlan> {
  if (kind === 'role' && isPreset(name)) throw new Refusal('role_preset')
  const [stored] = await ports.documents.list({ kind, name })
  if (!stored) throw new Refusal('document_unknown')
  const { document, revision } = stored
  const wanted = kind === defaultPreferenceDocument.kind ? [defaultPreferenceDocument] : []
  const lost = await requireKept(site, ports, { before: [document], wanted, force })
  const [title, summary] = removalInWords(document)
  const lines = wanted.length > 0 ? differenceOf(linesOf(document), linesOf(defaultPreferenceDocument)) : undefined
  const changes = [titleLine(title), ...(lines ?? removedLines(linesOf(document))), ...lostLines(lost)].join('\n')
  const foreseen = { summary: summary + lostInWords(lost), revision, changes, key: 'vouching' } as const
  return { lost, expected: revision, foreseen }
}

function removalInWords(document: Document): readonly [title: string, summary: string] {
  if (document.kind === 'cluster_auth_preference')
    return ['Back to the defaults: how people log in', 'Set how people log in back to the defaults']
  const title = `Removed: ${keyOf(document)}`
  if (document.kind === 'lock') return [title, `Unlock ${lockInWords(document)}`]
  return [title, `Remove ${documentInWords(document)}`]
}
