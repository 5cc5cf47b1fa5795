/** Roles as somebody sees them who is to give them. */
import type { Ports } from '../ports.ts'
import { presets } from './presets.ts'
import type { RoleDocument } from './role.ts'

export interface GivenRole {
  readonly name: string
  readonly description: string
  /** Whoever gives it might as well write it: that takes role:update too. */
  readonly administers: boolean
}

export const administers = ({ spec }: RoleDocument): boolean => (spec.allow.rules?.length ?? 0) > 0

/** Those that are built in first. */
export async function rolesToGive({ documents }: Pick<Ports, 'documents'>): Promise<readonly GivenRole[]> {
  const stored = await documents.list({ kind: 'role' })
  const written = stored.flatMap(({ document }) => (document.kind === 'role' ? [document] : []))
  return [...presets, ...written].map((role) => ({
    name: role.metadata.name,
    description: role.metadata.description ?? '',
    administers: administers(role),
  }))
}
