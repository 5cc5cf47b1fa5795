/** Decisions a second, as edge and proxy make them: fifty roles of a user among a thousand, ten thousand resources, a hundred locks. */
import { decide, type Facts, locksByTarget } from '../../core/access/decide.ts'
import type { LockDocument } from '../../core/access/lock.ts'
import { defaultPreference } from '../../core/access/preference.ts'
import type { ResourceDocument } from '../../core/access/resource.ts'
import type { RoleDocument } from '../../core/access/role.ts'
import { spread } from './statistics.ts'

const [held, reached] = [50, 10_000]

/** Each of ten stages is reached by some roles; half of the values are patterns: a glob, a regular expression, a template. */
const role = (i: number): RoleDocument => ({
  kind: 'role',
  version: 'v7',
  metadata: { name: `role-${i}` },
  spec: {
    options: i % 3 === 0 ? { require_session_mfa: true, max_session_ttl: '8h' } : {},
    allow: {
      db_labels: { stage: [`stage-${i % 10}`, `^canary-${i % 10}$`], team: ['*'] },
      db_users: ['reader', 'report-*', '{{external.team}}-reader'],
      db_names: ['^shop_[a-z]+$', 'orders'],
    },
    deny: i % 2 === 0 ? { db_users: ['admin', '*-admin'] } : {},
  },
})
const lock = (i: number): LockDocument => ({
  kind: 'lock',
  version: 'v2',
  metadata: { name: `lock-${i}` },
  spec: { target: { user: `user-${i}` } },
})

const resource = (i: number): ResourceDocument => ({
  kind: 'db',
  version: 'v3',
  metadata: { name: `pg-${i}`, labels: { stage: `stage-${i % 10}`, team: `team-${i % 100}` } },
  spec: { protocol: 'postgres', uri: '127.0.0.1:5432', tls: { mode: 'verify-full' } },
})

const principals = [
  { db_user: 'reader', db_name: 'orders' },
  { db_user: 'report-7', db_name: 'shop_eu' },
  { db_user: 'payments-reader', db_name: 'shop_us' },
]

const policy = {
  user: { name: 'Ada', roles: Array.from({ length: held }, (_, i) => `role-${i}`), traits: { team: ['payments'] } },
  roles: new Map(Array.from({ length: 1000 }, (_, i) => [`role-${i}`, role(i)])),
  locks: locksByTarget(Array.from({ length: 100 }, (_, i) => lock(i))),
  preference: defaultPreference,
  now: 1_800_000_000_000,
}
const asked: readonly Facts[] = Array.from({ length: reached }, (_, i) => ({
  ...policy,
  resource: resource(i),
  principal: principals[i % principals.length] as Facts['principal'],
}))

const count = 20_000

function round(facts: readonly Facts[]): number {
  const start = performance.now()
  for (let i = 0; i < count; i++)
    if (decide(facts[i % reached] as Facts).outcome !== 'allow') throw new Error('not allowed')
  return count / ((performance.now() - start) / 1000)
}

/** The same as a process knows it that has just read it: nothing of it was asked before. */
const fresh = (): readonly Facts[] => {
  const read = structuredClone(policy)
  return asked.map(({ resource: of, principal }) => ({ ...read, resource: structuredClone(of), principal }))
}

export function decisions(): unknown {
  round(asked)
  const rounds = Array.from({ length: 7 }, () => round(asked))
  const first = Array.from({ length: 7 }, () => round(fresh()))
  return {
    benchmark: 'decide',
    aim_a_second: 100_000,
    roles_of_the_user: held,
    resources: reached,
    locks: 100,
    decisions_a_second: spread(rounds, 0),
    decisions_a_second_after_each_change_of_the_policy: spread(first, 0),
  }
}
