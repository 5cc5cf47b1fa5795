/** The cluster's documents: reading, creating and replacing several at once, removing. What is stored was read by document.ts. */
import type { DocumentChange, StoredDocument } from '../admin-ports.ts'
import { recordingRefusals } from '../audit.ts'
import type { Json } from '../intent.ts'
import { nameKey } from '../login/name.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type Document, parseDocument, revisionOf } from './document.ts'
import { showPath } from './place.ts'
import { isPreset, presets } from './presets.ts'
import { actorOf, type Principal } from './principal.ts'

export interface Filter {
  readonly kind?: string | undefined
  readonly name?: string | undefined
}

export interface Listed extends StoredDocument {
  /** Built in: cannot be changed. */
  readonly preset: boolean
}

export async function listDocuments({ documents }: Pick<Ports, 'documents'>, filter: Filter): Promise<Listed[]> {
  const builtIn = presets
    .filter(({ kind, metadata }) => kind === (filter.kind ?? kind) && metadata.name === (filter.name ?? metadata.name))
    .map((document) => ({ document, revision: revisionOf(document), preset: true }))
  const stored = await documents.list(filter)
  return [...builtIn, ...stored.map((one) => ({ ...one, preset: false }))]
}

export interface Put {
  readonly kind: string
  readonly name: string
  readonly revision: string
  readonly outcome: 'created' | 'replaced' | 'unchanged'
}

type PutNeeds = Pick<Ports, 'now' | 'documents' | 'audit'>

/** All or none. @throws Refusal document_invalid, document_exists, document_changed, own_account, token_invalid, role_missing */
export function putDocuments(
  ports: PutNeeds,
  principal: Principal,
  given: readonly Json[],
  force: boolean,
): Promise<readonly Put[]> {
  const { asking, user, session } = principal
  return recordingRefusals(ports, asking, 'document.put', async () => {
    const wanted = requireDocuments(given, user.name)
    const before = await revisionsBefore(ports, wanted)
    const changes = wanted.map((document): DocumentChange => {
      const expected = before.get(keyOf(document))
      if (expected !== undefined && !force) throw existing(keyOf(document))
      return { document, revision: revisionOf(document), expected }
    })
    const changed = changes.filter(({ revision, expected }) => revision !== expected)
    if (changed.length > 0) {
      const who = { userId: user.id, sessionId: session.id }
      const detail = { documents: changed.map(({ document }) => keyOf(document)).join(' ') }
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
    }
    return changes.map(putOf)
  })
}

const existing = (document: string) =>
  new Refusal('document_exists', { document }, { told: `${document} is there already.` })

const keyOf = ({ kind, metadata }: Document): string => `${kind}/${metadata.name}`

function putOf({ document, revision, expected }: DocumentChange): Put {
  const outcome = expected === undefined ? 'created' : expected === revision ? 'unchanged' : 'replaced'
  return { kind: document.kind, name: document.metadata.name, revision, outcome }
}

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
  if (document.kind === 'lock' && nameKey(document.spec.target.user) === nameKey(caller))
    throw new Refusal('own_account')
}

async function revisionsBefore({ documents }: PutNeeds, wanted: readonly Document[]): Promise<Map<string, string>> {
  const kinds = new Set(wanted.map(({ kind }) => kind))
  const lists = await Promise.all([...kinds].map((kind) => documents.list({ kind })))
  return new Map(lists.flat().map(({ document, revision }) => [keyOf(document), revision]))
}

/** @throws Refusal role_preset, document_unknown, role_held, token_invalid, role_missing */
export function removeDocument(ports: PutNeeds, principal: Principal, kind: string, name: string): Promise<void> {
  const { asking, user, session } = principal
  return recordingRefusals(ports, asking, 'document.remove', async () => {
    if (kind === 'role' && isPreset(name)) throw new Refusal('role_preset')
    const who = { userId: user.id, sessionId: session.id, detail: { document: `${kind}/${name}` } }
    const event = { at: ports.now(), kind: 'document.remove', outcome: 'done', asking, ...who } as const
    await ports.documents.remove(actorOf(principal, 'editor'), kind, name, event)
  })
}
