/** As whom a session is to be opened, out of hostile JSON or out of a query. */
import { type Json, membersOf } from '../intent.ts'
import { Refusal } from '../refusal.ts'
import { membersOfPrincipal, type ResourceKind, type ResourcePrincipal, resourceKinds } from './resource.ts'

const [longest, most] = [256, 64]

const isText = (json: Json): json is string => typeof json === 'string' && json !== '' && json.length <= longest

/** Exactly the members of the kind. @throws Refusal target_invalid */
export function requirePrincipal(kind: ResourceKind, json: Json): ResourcePrincipal {
  const given = membersOf(json)
  const members = membersOfPrincipal(kind)
  const unknown = Object.keys(given).find((name) => !members.some(({ field }) => field === name))
  if (unknown !== undefined) throw unfit(kind, `${unknown} is no part of it`)
  const read = members.map(({ field, isList }) => {
    const value = given[field]
    if (isList) return [field, requireList(kind, field, value ?? [])] as const
    if (value === undefined || !isText(value)) throw unfit(kind, `${field} is missing`)
    return [field, value] as const
  })
  return Object.fromEntries(read) as unknown as ResourcePrincipal
}

/** In one order and each once, so that what is tapped has one form. */
function requireList(kind: ResourceKind, field: string, json: Json): readonly string[] {
  if (!Array.isArray(json) || json.length > most || !json.every(isText))
    throw unfit(kind, `${field} is no list of text`)
  return [...new Set(json as readonly string[])].sort()
}

const unfit = (kind: ResourceKind, why: string) =>
  new Refusal('target_invalid', { why }, { told: `This is no principal of a ${resourceKinds[kind].words}: ${why}.` })

/** As the query of a URI has it. @throws Refusal target_invalid */
export function principalInQuery(kind: ResourceKind, query: URLSearchParams): ResourcePrincipal {
  const members = membersOfPrincipal(kind).flatMap(({ field, isList }): (readonly [string, Json])[] => {
    const [first, ...more] = query.getAll(field)
    if (isList) return [[field, query.getAll(field)]]
    return first === undefined || more.length > 0 ? [] : [[field, first]]
  })
  return requirePrincipal(kind, Object.fromEntries(members))
}

export const principalAsQuery = (principal: ResourcePrincipal): (readonly [name: string, value: string])[] =>
  Object.entries<string | readonly string[]>(principal).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : value.map((one) => [name, one] as const),
  )
