/**
 * What an administrator writes: users, roles, resources, locks, how people log in. A document that was read is canonical: it is what is stored
 * and what is printed, and reading it again changes nothing.
 */
import { canonicalJson, type Json } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import { app } from './app.ts'
import { authPreference, type PreferenceDocument } from './auth-preference.ts'
import { db } from './db.ts'
import { isMap, member, oneOf, type Read, tellExpected, tellUnknown } from './fields.ts'
import { kubeCluster } from './kube-cluster.ts'
import { type LockDocument, lock } from './lock.ts'
import { node } from './node.ts'
import { into, type Place, type Problem, tell } from './place.ts'
import type { ResourceDocument } from './resource.ts'
import { type RoleDocument, role } from './role.ts'
import { type UserDocument, user } from './user.ts'
import { windowsDesktop } from './windows-desktop.ts'

/** What is decided by. Users are no part of it: who they are and what they hold is kept as rows (storage/schema-people.ts). */
export type PolicyDocument = RoleDocument | ResourceDocument | LockDocument | PreferenceDocument
export type Document = PolicyDocument | UserDocument
export type DocumentKind = Document['kind']

const readers: { readonly [kind in DocumentKind]: Read<Document> } = {
  role,
  node,
  db,
  kube_cluster: kubeCluster,
  app,
  windows_desktop: windowsDesktop,
  lock,
  cluster_auth_preference: authPreference,
  user,
}
const parts = ['kind', 'version', 'metadata', 'spec']
export const documentKinds = Object.keys(readers) as DocumentKind[]

/** Bytes of canonical JSON: less than what the edge takes as a body. */
const longest = 131_072

export type ParsedDocument =
  | { readonly kind: 'value'; readonly value: Document }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** Never throws. Tells all problems at once, a hundred at most. */
export function parseDocument(json: Json): ParsedDocument {
  const problems: Problem[] = []
  const place = { path: [], problems }
  const value = readDocument(json, place)
  if (value && problems.length === 0 && canonicalJson(value).length > longest)
    tell(place, `too large: at most ${longest / 1024} KiB`)
  return value && problems.length === 0 ? { kind: 'value', value } : { kind: 'invalid', problems }
}

function readDocument(json: Json, place: Place): Document | undefined {
  if (!isMap(json)) return tellExpected(json, place, `a map of ${parts.join(', ')}`)
  // Perhaps it is there and misspelt.
  if (member(json, 'kind') === undefined) tellUnknown('a document', parts, json, place)
  const kind = oneOf(...documentKinds)(member(json, 'kind'), into(place, 'kind'))
  return kind && readers[kind](json, place)
}

/** Names this very content: who edits says which he read, so that two edits cannot undo each other unseen. */
export const revisionOf = (document: PolicyDocument): string => base64url(sha256(canonicalJson(document)))
