/** What a lock names, as it is given on the command line, and whether there is such a thing. */
import { type LockTargetKind, lockTargets } from '../core/access/lock.ts'
import { nearest } from '../core/access/place.ts'
import { operations } from '../core/api/operations.ts'
import { nameKey } from '../core/login/name.ts'
import { call, type Session } from './api.ts'
import { Problem } from './problem.ts'

export interface GivenTarget {
  readonly kind: LockTargetKind
  readonly name: string
}

type Flag<K extends string> = K extends `${infer A}_${infer B}` ? `${A}-${B}` : K
const flagOf = (kind: LockTargetKind) => kind.replace('_', '-') as Flag<LockTargetKind>

export const targetOptions = Object.fromEntries(
  lockTargets.map((kind) => [flagOf(kind), { type: 'string' }]),
) as Readonly<Record<Flag<LockTargetKind>, { readonly type: 'string' }>>

/** The one that is given. @throws Problem usage */
export function requireTarget(values: { readonly [flag in Flag<LockTargetKind>]?: string | undefined }): GivenTarget {
  const given = lockTargets.flatMap((kind) => {
    const name = values[flagOf(kind)]
    return name === undefined || name === '' ? [] : [{ kind, name }]
  })
  const [target, another] = given
  if (target && !another) return target
  const hint = 'sallyport admin locks add --user=NAME'
  if (!target) throw new Problem('usage', 'nothing to lock is given', hint)
  const flags = given.map(({ kind }) => `--${flagOf(kind)}`).join(' and ')
  throw new Problem('usage', `${flags} are given: a lock names one thing`, 'make a lock for each')
}

/** A lock on a name that is misspelt would lock nothing. Answers the name as locks have it. @throws Problem */
export async function requireExisting(session: Session, { kind, name }: GivenTarget): Promise<string> {
  if (kind === 'login' || kind === 'device' || kind === 'agent' || kind === 'host') return name
  const [known, hint] = await knownOf(session, kind)
  const found = known.find(({ names }) => names.some((one) => one === name || (kind === 'user' && isSame(one, name))))
  if (found) return kind === 'user' ? name : found.id
  const what = `${kind.replaceAll('_', ' ')} ${name}`
  const meant = nearest(
    name,
    known.flatMap(({ names }) => names),
  )
  throw new Problem('failed', `there is no ${what}`, meant === undefined ? hint : `did you mean ${meant}?`)
}

const isSame = (a: string, b: string): boolean => nameKey(a) === nameKey(b)

interface Known {
  /** As a lock names it. */
  readonly id: string
  /** As it may be given. */
  readonly names: readonly string[]
}

type Knowable = Exclude<LockTargetKind, 'login' | 'device' | 'agent' | 'host'>

/** All of a kind, and the command that lists them. */
async function knownOf(session: Session, kind: Knowable): Promise<readonly [readonly Known[], string]> {
  const named = (name: string): Known => ({ id: name, names: [name] })
  if (kind === 'user') {
    const { users } = await call(session, operations.usersList, {})
    return [users.map(({ name }) => named(name)), 'sallyport admin users ls']
  }
  if (kind === 'mfa_device') {
    const { factors } = await call(session, operations.factorsList, { query: { user: undefined } })
    return [factors.map(({ id }) => named(id)), 'sallyport admin mfa ls shows their ids']
  }
  if (kind === 'proxy') {
    const { proxies } = await call(session, operations.proxiesList, {})
    return [proxies.map(({ id, name }) => ({ id, names: [name, id] })), proxiesInWords(proxies)]
  }
  const { documents } = await call(session, operations.documentsList, { query: { kind, name: undefined } })
  const names = documents.map(({ document }) => (document as { metadata: { name: string } }).metadata.name)
  return [names.map(named), `sallyport admin get ${kind}`]
}

const proxiesInWords = (proxies: readonly { readonly name: string }[]): string =>
  proxies.length === 0 ? 'no proxy is registered' : `there are ${proxies.map(({ name }) => name).join(', ')}`
