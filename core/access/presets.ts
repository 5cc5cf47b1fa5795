/** Roles that every cluster has. Nobody writes them. */
import type { RoleConditions, RoleDocument, RoleOptions } from './role.ts'
import type { RuleResource, RuleVerb } from './rule.ts'

const preset = (
  name: string,
  description: string,
  allow: RoleConditions = {},
  options: RoleOptions = {},
): RoleDocument => ({
  kind: 'role',
  version: 'v7',
  metadata: { name, description },
  spec: { options, allow, deny: {} },
})

const may = (resources: readonly (RuleResource | '*')[], verbs: readonly (RuleVerb | '*')[]): RoleConditions => ({
  rules: [{ resources, verbs }],
})

const administered: readonly RuleResource[] = [
  'user',
  'role',
  'node',
  'db',
  'kube_cluster',
  'app',
  'windows_desktop',
  'lock',
  'cluster_auth_preference',
  'session',
  'cert_authority',
  'proxy',
  'token',
  'bot',
]

export const presets: readonly RoleDocument[] = [
  preset('access', 'Signs in and reaches what other roles name. Has no rights of its own on resources.'),
  preset('editor', 'Administers users, roles, resources, locks and keys.', may(administered, ['*'])),
  preset('auditor', 'Reads the audit log, and what sessions there are.', may(['event', 'session'], ['list', 'read'])),
  preset('reviewer', 'Reviews requests for access.', may(['access_request'], ['list', 'read', 'update'])),
  preset('device-admin', 'Administers the inventory of devices.', may(['device'], ['*'])),
  preset('device-enroll', "Enrolls devices of one's own.", may(['device'], ['enroll'])),
  preset('require-trusted-device', 'Opens sessions from trusted devices only.', {}, { device_trust_mode: 'required' }),
]

/** What the first administrator holds, and one who is recovered. */
export const administratorRoles = ['access', 'editor', 'auditor'] as const

const byName = new Map(presets.map((role) => [role.metadata.name, role]))

export const isPreset = (name: string): boolean => byName.has(name)

export const presetOf = (name: string): RoleDocument | undefined => byName.get(name)
