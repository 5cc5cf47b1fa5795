/** Decisions a second, as edge and proxy make them: ten roles of a user among a thousand, a hundred locks. */
import { decide, type Facts, locksByTarget } from '../../core/access/decide.ts'
import type { LockDocument } from '../../core/access/lock.ts'
import { defaultPreference } from '../../core/access/preference.ts'
import type { RoleDocument } from '../../core/access/role.ts'
import { spread } from './statistics.ts'

const role = (i: number): RoleDocument => ({
  kind: 'role',
  version: 'v7',
  metadata: { name: `role-${i}` },
  spec: {
    options: i % 3 === 0 ? { require_session_mfa: true, max_session_ttl: '8h' } : {},
    allow: {
      db_labels: { env: i === 9 ? ['dev', 'test'] : ['prod'], team: ['*'] },
      db_users: ['reader'],
      db_names: ['*'],
    },
    deny: i % 2 === 0 ? { db_users: ['admin'] } : {},
  },
})
const lock = (i: number): LockDocument => ({
  kind: 'lock',
  version: 'v2',
  metadata: { name: `lock-${i}` },
  spec: { target: { user: `user-${i}` } },
})

const facts: Facts = {
  user: { name: 'Ada', roles: Array.from({ length: 10 }, (_, i) => `role-${i}`) },
  roles: new Map(Array.from({ length: 1000 }, (_, i) => [`role-${i}`, role(i)])),
  locks: locksByTarget(Array.from({ length: 100 }, (_, i) => lock(i))),
  preference: defaultPreference,
  resource: {
    kind: 'db',
    version: 'v3',
    metadata: { name: 'pg-1', labels: { env: 'dev', team: 'orders' } },
    spec: { protocol: 'postgres', uri: '127.0.0.1:5432', tls: { mode: 'verify-full' } },
  },
  principal: { db_user: 'reader', db_name: 'orders' },
  now: 1_800_000_000_000,
}

const count = 50_000

function round(): number {
  const start = performance.now()
  for (let i = 0; i < count; i++) if (decide(facts).outcome !== 'allow') throw new Error('not allowed')
  return count / ((performance.now() - start) / 1000)
}

export function decisions(): unknown {
  round()
  const rounds = Array.from({ length: 7 }, round)
  return {
    benchmark: 'decide',
    aim_a_second: 100_000,
    roles_of_the_user: 10,
    locks: 100,
    decisions_a_second: spread(rounds, 0),
  }
}
