/** As whom a session is wanted, from the options of the command line. */
import {
  type ListCondition,
  membersOfPrincipal,
  type ResourceKind,
  type ResourcePrincipal,
} from '../core/access/resource.ts'
import { requirePrincipal } from '../core/access/session-principal.ts'
import { Refusal } from '../core/refusal.ts'
import { Problem } from './problem.ts'
import type { Resource } from './resource.ts'

export const principalOptions = {
  login: { type: 'string' },
  'kube-user': { type: 'string' },
  'kube-group': { type: 'string', multiple: true },
  'db-user': { type: 'string' },
  'db-name': { type: 'string' },
} as const

/** With the rights of another user, whom a role names. */
export const impersonateOption = { impersonate: { type: 'string' } } as const

export type PrincipalValues = { readonly [Flag in keyof typeof principalOptions]?: string | string[] | undefined }

/** @throws Problem usage */
export function requireNamedOnce(names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new Problem('usage', `${twice} is named twice`, 'name each once, with --count=N')
}

/** @throws Problem usage where an option is of none of their kinds */
export function requireOwnOptions(targets: readonly Pick<Resource, 'kind' | 'name'>[], values: PrincipalValues): void {
  const own = targets.flatMap(({ kind }) => membersOfPrincipal(kind).map(({ flag }) => flag))
  const foreign = flagsIn(values).find((flag) => !own.includes(flag))
  if (foreign === undefined) return
  const takes = [...new Set(own)].map((one) => `--${one}`)
  const hint = takes.length === 0 ? 'leave it out' : `it takes ${takes.join(', ')}`
  const what = targets.map(({ kind, name }) => `${kind}/${name}`).join(', ')
  throw new Problem('usage', `${what} takes no --${foreign}`, hint)
}

const flagsIn = (values: PrincipalValues) =>
  (Object.keys(principalOptions) as (keyof typeof principalOptions)[]).filter((flag) => values[flag] !== undefined)

interface Asked {
  readonly kind: ResourceKind
  readonly allowed: { readonly [list in ListCondition]?: readonly string[] | undefined }
}

/** @throws Problem usage where one is missing, with what the roles allow */
export function principalFor({ kind, allowed }: Asked, values: PrincipalValues, user: string): ResourcePrincipal {
  const given = membersOfPrincipal(kind).flatMap(({ field, flag, list, isList, ownName }) => {
    const value = values[flag as keyof PrincipalValues]
    if (value !== undefined && value !== '') return [[field, value] as const]
    if (isList) return []
    const can = [...new Set([...(ownName ? [user] : []), ...(allowed[list] ?? [])])]
    const hint = can.length === 0 ? 'your roles allow none: ask an administrator' : `your roles allow ${can.join(', ')}`
    throw new Problem('usage', `--${flag} is not given`, hint)
  })
  try {
    return requirePrincipal(kind, Object.fromEntries(given))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Problem('usage', 'an option is longer than any name', 'give what "sallyport ls" shows', { cause: error })
  }
}
