/** What may help somebody who was refused: in words, and as the command that does it. */
import type { Facts } from './decide.ts'
import type { HeldRoles } from './held-roles.ts'
import { matches, shown } from './pattern.ts'
import { isPostgres, membersOfPrincipal, type ResourcePrincipal, type SessionTarget, valuesOf } from './resource.ts'
import type { RoleDocument } from './role.ts'

export interface Remedy {
  readonly told: string
  /** As it is typed. */
  readonly command?: string
}

export const remedyInWords = ({ told, command }: Remedy): string =>
  command === undefined ? told : `${told} Try: ${command}`

/** The roles that reach the resource allow others than was asked for. */
export function remediesFor(held: HeldRoles, facts: Facts): readonly Remedy[] {
  const { resource, user } = facts
  const reaching = held.marked(held.ofResource(resource).allow)
  const allowed = membersOfPrincipal(resource.kind).map(({ list, flag, isList }) => {
    const values = reaching.flatMap(({ spec }) => shown(spec.allow[list] ?? [], user.traits ?? {}))
    return { flag, isList, values: [...new Set(values)] }
  })
  if (allowed.length === 0 || allowed.some(({ values, isList }) => !isList && values.length === 0))
    return [{ told: 'Ask an administrator for a role that reaches it.' }]
  const flags = allowed
    .filter(({ values }) => values.length > 0)
    .map(({ flag, values }) => `--${flag}=${values.join('|')}`)
  const told = `Your roles allow ${flags.join(' and ')} there.`
  const command = reaching.map((role) => commandBy(role, held.all, facts)).find((one) => one !== undefined)
  return [{ told, ...(command !== undefined && { command }) }]
}

/** A session that this role allows and no other denies, where the role names one: of a pattern nobody knows what it stands for. */
function commandBy(role: RoleDocument, held: readonly RoleDocument[], { resource, user }: Facts): string | undefined {
  const { traits = {} } = user
  const members = membersOfPrincipal(resource.kind).map(({ list, field }) => {
    const isDenied = (value: string) => held.some(({ spec }) => matches(spec.deny[list] ?? [], value, traits))
    const value = shown(role.spec.allow[list] ?? [], traits).find((one) => !isPattern(one) && !isDenied(one))
    return [field, value] as const
  })
  if (members.some(([, value]) => value === undefined)) return undefined
  return commandFor(resource, Object.fromEntries(members) as unknown as ResourcePrincipal)
}

const isPattern = (value: string): boolean => value.includes('*') || value.startsWith('^')

/** What opens the session. */
export function commandFor(resource: SessionTarget, principal: ResourcePrincipal): string {
  const {
    kind,
    metadata: { name },
  } = resource
  const flags = membersOfPrincipal(kind).flatMap(({ field, flag }) =>
    valuesOf(principal, field).map((value) => `--${flag}=${forShell(value)}`),
  )
  const ofDatabase = isPostgres(resource) ? `db connect ${name}` : `db login ${name}`
  const verb = kind === 'db' ? ofDatabase : `proxy tcp ${forShell(kind === 'host' ? name : `${kind}/${name}`)}`
  return ['sallyport', verb, ...flags].join(' ')
}

/** Quoted where a shell would read more into it: roles are written by others than those who paste what is told. */
const forShell = (text: string): string =>
  /^[A-Za-z0-9_.,:@%+/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
