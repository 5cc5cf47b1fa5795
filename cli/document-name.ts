/** `role/dev`, `roles`, `db/orders`: which documents somebody means. */
import { nearest } from '../core/access/place.ts'
import { Problem } from './problem.ts'

export type Kind = 'role' | 'db' | 'lock'

const words: Readonly<Record<string, Kind>> = {
  role: 'role',
  roles: 'role',
  db: 'db',
  dbs: 'db',
  database: 'db',
  databases: 'db',
  lock: 'lock',
  locks: 'lock',
}

export interface Meant {
  /** undefined: all kinds. */
  readonly kind: Kind | undefined
  readonly name: string | undefined
}

/** @throws Problem usage */
export function parseMeant(text: string): Meant {
  const slash = text.indexOf('/')
  const [word, name] = slash < 0 ? [text, undefined] : [text.slice(0, slash), text.slice(slash + 1)]
  if (word === 'all' && name === undefined) return { kind: undefined, name }
  const kind = Object.hasOwn(words, word) ? words[word] : undefined
  if (name === '')
    throw new Problem('usage', `${text} names nothing after the slash`, 'write KIND/NAME, such as role/dev')
  if (kind) return { kind, name }
  const meant = nearest(word, [...Object.keys(words), 'all'])
  const hint = meant === undefined ? 'kinds are role, db and lock' : `did you mean ${meant}?`
  throw new Problem('usage', `there is no kind ${word}`, hint)
}

/** @throws Problem usage */
export function requireOne(text: string): { kind: Kind; name: string } {
  const { kind, name } = parseMeant(text)
  if (kind && name !== undefined) return { kind, name }
  throw new Problem('usage', `${text} is not one document`, 'write KIND/NAME, such as role/dev')
}
