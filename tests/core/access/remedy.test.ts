/** The command that a refusal tells opens a session: it is typed as it stands. */
import { expect, test } from 'vitest'
import { decide, type Facts, locksByTarget } from '../../../core/access/decide.ts'
import { defaultPreference } from '../../../core/access/preference.ts'
import type { RoleConditions, RoleDocument } from '../../../core/access/role.ts'

const role = (name: string, allow: RoleConditions, deny: RoleConditions = {}): RoleDocument => ({
  kind: 'role',
  version: 'v7',
  metadata: { name },
  spec: { options: {}, allow, deny },
})

const facts = (...roles: readonly RoleDocument[]): Facts => ({
  user: { name: 'Ada', roles: roles.map(({ metadata }) => metadata.name), traits: { team: ['red team'] } },
  roles: new Map(roles.map((one) => [one.metadata.name, one])),
  locks: locksByTarget([]),
  preference: defaultPreference,
  resource: {
    kind: 'db',
    version: 'v3',
    metadata: { name: 'pg-1', labels: { env: 'dev' } },
    spec: { protocol: 'postgres', uri: 'h:5432', tls: { mode: 'verify-full' } },
  },
  principal: { db_user: 'nobody', db_name: 'nothing' },
  now: 0,
})

const commandOf = (...roles: readonly RoleDocument[]) => {
  const decision = decide(facts(...roles))
  return decision.outcome === 'refuse' ? decision.remedies[0]?.command : 'allowed'
}

const all = { db_labels: { '*': ['*'] } }

test.each<[string, RoleDocument[], string | undefined]>([
  ['names', [role('a', { ...all, db_users: ['u'], db_names: ['d'] })], '--db-user=u --db-name=d'],
  ['not what is a pattern', [role('a', { ...all, db_users: ['u*'], db_names: ['d'] })], undefined],
  [
    'the name beside a pattern',
    [role('a', { ...all, db_users: ['^u.$', 'v'], db_names: ['d'] })],
    '--db-user=v --db-name=d',
  ],
  [
    'what one role allows alone, not two together',
    [role('a', { ...all, db_users: ['u'] }), role('b', { ...all, db_names: ['d'] })],
    undefined,
  ],
  [
    'not what another role denies',
    [role('a', { ...all, db_users: ['u', 'v'], db_names: ['d'] }), role('b', {}, { db_users: ['u'] })],
    '--db-user=v --db-name=d',
  ],
  [
    'a template filled in',
    [role('a', { ...all, db_users: ['{{external.team}}'], db_names: ['d'] })],
    "--db-user='red team' --db-name=d",
  ],
  [
    'nothing that a shell would run',
    [role('a', { ...all, db_users: ["$(rm)'x"], db_names: ['d'] })],
    "--db-user='$(rm)'\\''x' --db-name=d",
  ],
])('names %s', (_, roles, flags) => {
  expect(commandOf(...roles)).toBe(flags === undefined ? undefined : `sallyport db connect pg-1 ${flags}`)
})
