/** Which roles a change of users gives and takes, and by what right that is done. Reads, and writes nothing. */
import type { UserChange, UserChanges } from '../admin-ports.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type Document, revisionOf } from './document.ts'
import { isPreset, presets } from './presets.ts'
import { allowing, type Principal } from './principal.ts'
import type { RoleDocument } from './role.ts'
import { covers, type Deed } from './rule.ts'
import { someOf } from './subject.ts'
import type { UserDocument } from './user.ts'

export interface UsersPlan {
  /** What a rule must allow besides writing users. */
  readonly deeds: readonly Deed[]
  /** undefined: no user changes. */
  readonly people: Omit<UserChanges, 'rpIds'> | undefined
}

/** `wanted`: the documents that are written with it. @throws Refusal own_account, role_missing, role_unknown */
export async function planUsers(
  { documents }: Pick<Ports, 'documents'>,
  principal: Principal,
  users: readonly UserChange[],
  wanted: readonly Document[],
): Promise<UsersPlan> {
  if (users.length === 0) return { deeds: [], people: undefined }
  if (users.some(({ id }) => id === principal.user.id)) throw ownRights()
  const there = rolesIn([...presets, ...(await documents.list({ kind: 'role' })).map(({ document }) => document)])
  const roles = new Map([...there, ...rolesIn(wanted)])
  const moved = [...new Set(users.flatMap(rolesMoved))]
  // As it was and as it will be: whoever hands administrative rights on, or what keeps somebody from them, might as well write the role.
  const administrative = moved.flatMap((name) => [there.get(name), roles.get(name)]).some(isAdministrative)
  const deeds: readonly Deed[] = administrative ? [givingRoles] : []
  for (const deed of deeds) allowing(principal, deed)
  for (const change of users) requireRoles(change, roles)
  const giving = {
    allowing: namesOf(roles, ({ spec }) => covers(spec.allow.rules, givingRoles)),
    denying: namesOf(roles, ({ spec }) => covers(spec.deny.rules, givingRoles)),
  }
  const may = (document: UserDocument | undefined) => mayGive(rolesOf(document), giving)
  const losing = users.filter(({ document, before }) => may(before) && !may(document)).map(({ id }) => id)
  return { deeds, people: { users, roles: moved.flatMap((name) => judgedBy(roles.get(name))), losing, giving } }
}

const givingRoles: Deed = { resource: 'role', verb: 'update' }

/** Traits too: they widen what templates in roles stand for. */
const ownRights = () =>
  new Refusal('own_account', {}, { told: 'Nobody changes roles or traits of his own, and the user is you.' })

const rolesIn = (documents: readonly Document[]): Map<string, RoleDocument> =>
  new Map(documents.flatMap((one) => (one.kind === 'role' ? [[one.metadata.name, one] as const] : [])))

const rolesOf = (document: UserDocument | undefined): readonly string[] => document?.spec.roles ?? []

type Change = Pick<UserChange, 'document' | 'before'>

const gained = ({ document, before }: Change): string[] =>
  rolesOf(document).filter((name) => !rolesOf(before).includes(name))
const lost = ({ document, before }: Change): string[] =>
  rolesOf(before).filter((name) => !rolesOf(document).includes(name))

const rolesMoved = (change: UserChange): string[] => [...gained(change), ...lost(change)]

const isAdministrative = (role: RoleDocument | undefined): boolean =>
  [role?.spec.allow.rules, role?.spec.deny.rules].some((rules) => (rules?.length ?? 0) > 0)

function requireRoles({ document }: UserChange, roles: ReadonlyMap<string, RoleDocument>): void {
  const unknown = rolesOf(document).find((name) => !roles.has(name))
  if (unknown === undefined) return
  const told = `There is no role ${JSON.stringify(unknown)}, which ${document.metadata.name} is to hold.`
  throw new Refusal('role_unknown', {}, { told })
}

const namesOf = (roles: ReadonlyMap<string, RoleDocument>, is: (role: RoleDocument) => boolean): string[] =>
  [...roles.values()].filter(is).map(({ metadata }) => metadata.name)

const mayGive = (held: readonly string[], giving: UserChanges['giving']): boolean =>
  held.some((name) => giving.allowing.includes(name)) && !held.some((name) => giving.denying.includes(name))

/** Built-in roles never change, and one that is not there any more is judged by nothing. */
const judgedBy = (role: RoleDocument | undefined): UserChanges['roles'] =>
  role === undefined || isPreset(role.metadata.name) ? [] : [{ name: role.metadata.name, revision: revisionOf(role) }]

const traitsOf = ({ spec: { traits = {} } }: UserDocument): string => JSON.stringify(traits)

export function rolesInWords(roles: readonly string[]): string {
  if (roles.length === 0) return 'no role'
  return `${roles.length === 1 ? 'the role' : 'the roles'} ${someOf(roles)}`
}

/** Such as `Change the user Bob: gives the role editor; takes the roles dev, ops; other traits`. */
export function userInWords(document: UserDocument, before: UserDocument | undefined): string {
  const { name } = document.metadata
  if (!before) return `Create the user ${name} with ${rolesInWords(rolesOf(document))}`
  const [given, taken] = [gained({ document, before }), lost({ document, before })]
  const words = [
    ...(given.length > 0 ? [`gives ${rolesInWords(given)}`] : []),
    ...(taken.length > 0 ? [`takes ${rolesInWords(taken)}`] : []),
    ...(traitsOf(document) === traitsOf(before) ? [] : ['other traits']),
  ]
  return `Change the user ${name}: ${words.join('; ')}`
}
