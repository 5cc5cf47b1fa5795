/** What may help somebody who was refused: in words, and as the command that does it. */
import type { Facts } from './decide.ts'
import { shown } from './pattern.ts'
import { reaches } from './reach.ts'
import { membersOfPrincipal } from './resource.ts'
import type { RoleDocument } from './role.ts'

export interface Remedy {
  readonly told: string
  /** As it is typed. */
  readonly command?: string
}

export const remedyInWords = ({ told, command }: Remedy): string =>
  command === undefined ? told : `${told} Try: ${command}`

/** The roles that reach the resource allow others than was asked for. */
export function remediesFor(held: readonly RoleDocument[], { resource, user }: Facts): readonly Remedy[] {
  const reaching = held.filter((role) => reaches(role, resource, user.traits))
  const allowed = membersOfPrincipal(resource.kind).map(({ list, flag }) => {
    const values = reaching.flatMap(({ spec }) => shown(spec.allow[list] ?? [], user.traits ?? {}))
    return { flag, values: [...new Set(values)] }
  })
  if (allowed.length === 0 || allowed.some(({ values }) => values.length === 0))
    return [{ told: 'Ask an administrator for a role that reaches it.' }]
  const flags = allowed.map(({ flag, values }) => `--${flag}=${values.join('|')}`)
  return [{ told: `Your roles allow ${flags.join(' and ')} there.` }]
}
