/** Roles that every cluster has. Nobody writes them, so what editor and auditor may do comes with their names. */
import type { RoleDocument } from './role.ts'

const preset = (name: string, description: string): RoleDocument => ({
  kind: 'role',
  version: 'v7',
  metadata: { name, description },
  spec: { options: {}, allow: {}, deny: {} },
})

export const presets: readonly RoleDocument[] = [
  preset('access', 'Signs in and reaches what other roles name. Has no database rights of its own.'),
  preset('editor', 'Administers users, roles, resources, locks and keys.'),
  preset('auditor', 'Reads the audit log.'),
]

const names = new Set(presets.map((role) => role.metadata.name))

export const isPreset = (name: string): boolean => names.has(name)
