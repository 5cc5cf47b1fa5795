/** `db:pg-1 --db-user=reader --db-name=orders`: which session somebody asks about. */
import { nearest } from '../core/access/place.ts'
import { kindsOfResources, membersOfPrincipal, type ResourceKind } from '../core/access/resource.ts'
import { type PrincipalValues, principalOptions } from './principal.ts'
import { Problem } from './problem.ts'
import { requireHost } from './resource.ts'

export interface AskedResource {
  readonly kind: ResourceKind
  readonly name: string
}

const shorter: Readonly<Record<string, ResourceKind>> = { kube: 'kube_cluster', desktop: 'windows_desktop' }
const example = 'sallyport why db:orders'

/** @throws Problem usage */
export function parseTarget(text: string): AskedResource {
  const colon = text.indexOf(':')
  const [word, name] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  if (name === '') throw new Problem('usage', `${text} is not KIND:NAME`, example)
  const kind = Object.hasOwn(shorter, word) ? shorter[word] : kindsOfResources.find((one) => one === word)
  if (kind) return { kind, name: kind === 'host' ? requireHost(name) : name }
  const words = [...kindsOfResources, ...Object.keys(shorter)]
  const meant = nearest(word, words)
  const hint = meant === undefined ? `kinds are ${words.join(', ')}` : `did you mean ${meant}?`
  throw new Problem('usage', `there is no kind ${word}`, hint)
}

/** undefined: none of them is given. @throws Problem usage */
export function principalOf(
  kind: ResourceKind,
  values: PrincipalValues,
): Record<string, string | string[]> | undefined {
  const members = membersOfPrincipal(kind).map((member) => ({
    ...member,
    flag: member.flag as keyof PrincipalValues,
  }))
  const flags = Object.keys(principalOptions) as (keyof PrincipalValues)[]
  const named = flags.filter((flag) => values[flag] !== undefined)
  const foreign = named.find((flag) => !members.some((member) => member.flag === flag))
  if (foreign !== undefined) throw new Problem('usage', `the kind ${kind} has no --${foreign}`, hintOf(kind))
  if (named.length === 0) return undefined
  const missing = members.find(({ flag, isList }) => !isList && (values[flag] ?? '') === '')
  if (missing) throw new Problem('usage', `--${missing.flag} is not given`, hintOf(kind))
  return Object.fromEntries(members.map(({ field, flag, isList }) => [field, textOf(values[flag], isList)]))
}

const textOf = (value: string | string[] | undefined, isList: boolean | undefined): string | string[] =>
  isList ? [value ?? []].flat() : [value ?? ''].flat().join()

function hintOf(kind: ResourceKind): string {
  const flags = membersOfPrincipal(kind).map(({ flag }) => `--${flag}`)
  return flags.length === 0 ? `sallyport why ${kind}:NAME` : `it takes ${flags.join(' and ')}`
}
