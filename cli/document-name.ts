/** `role/dev`, `users`, `db/orders`, `cap`: which documents somebody means. */
import { preferenceKind, preferenceName } from '../core/access/auth-preference.ts'
import type { DocumentKind } from '../core/access/document.ts'
import { nearest } from '../core/access/place.ts'
import { Problem } from './problem.ts'

export type Kind = DocumentKind

const words: Readonly<Record<string, Kind>> = {
  role: 'role',
  roles: 'role',
  db: 'db',
  dbs: 'db',
  database: 'db',
  databases: 'db',
  node: 'node',
  nodes: 'node',
  app: 'app',
  apps: 'app',
  kube_cluster: 'kube_cluster',
  kube_clusters: 'kube_cluster',
  kube: 'kube_cluster',
  windows_desktop: 'windows_desktop',
  windows_desktops: 'windows_desktop',
  lock: 'lock',
  locks: 'lock',
  user: 'user',
  users: 'user',
  cap: preferenceKind,
  cluster_auth_preference: preferenceKind,
}

export interface Meant {
  /** undefined: all kinds. */
  readonly kind: Kind | undefined
  readonly name: string | undefined
}

export interface MeantOne {
  readonly kind: Kind
  readonly name: string
}

/** Such as `role dev`. */
export const showMeant = ({ kind, name }: MeantOne): string => (kind === preferenceKind ? kind : `${kind} ${name}`)

/** @throws Problem usage */
export function parseMeant(text: string): Meant {
  const slash = text.indexOf('/')
  const [word, name] = slash < 0 ? [text, undefined] : [text.slice(0, slash), text.slice(slash + 1)]
  if (word === 'all' && name === undefined) return { kind: undefined, name }
  const kind = Object.hasOwn(words, word) ? words[word] : undefined
  if (name === '')
    throw new Problem('usage', `${text} names nothing after the slash`, 'write KIND/NAME, such as role/dev')
  if (kind === preferenceKind) return theOne(text, name)
  if (kind) return { kind, name }
  const meant = nearest(word, [...Object.keys(words), 'all'])
  const hint =
    meant === undefined
      ? 'kinds are role, user, node, db, kube_cluster, app, windows_desktop, lock and cap'
      : `did you mean ${meant}?`
  throw new Problem('usage', `there is no kind ${word}`, hint)
}

/** There is one at most, so nobody need name it. */
function theOne(text: string, name = preferenceName): MeantOne {
  if (name === preferenceName) return { kind: preferenceKind, name }
  throw new Problem('usage', `there is no ${text}: a cluster has one preference`, 'write cap')
}

/** @throws Problem usage */
export function requireOne(text: string): MeantOne {
  const { kind, name } = parseMeant(text)
  if (kind && name !== undefined) return { kind, name }
  throw new Problem('usage', `${text} is not one document`, 'write KIND/NAME, such as role/dev')
}
