/** Clusters that nobody would write, small enough for their parts to meet: what a policy says of them is known by comparison alone. */
import fc from 'fast-check'
import type { Facts } from '../../../core/access/decide.ts'
import { locksByTarget } from '../../../core/access/decide.ts'
import type { RoleHolder } from '../../../core/access/held-roles.ts'
import type { HostRule } from '../../../core/access/host-rule.ts'
import type { LockDocument, LockTarget } from '../../../core/access/lock.ts'
import type { Traits } from '../../../core/access/pattern.ts'
import { defaultPreference, type Preference } from '../../../core/access/preference.ts'
import type { ResourcePrincipal, SessionTarget } from '../../../core/access/resource.ts'
import type { ImpersonateConditions, RoleConditions, RoleDocument, RoleOptions } from '../../../core/access/role.ts'
import { hours } from '../../../core/model.ts'

export const now = 1_800_000_000_000

const few = <T>(one: fc.Arbitrary<T>, most = 3) => fc.array(one, { minLength: 1, maxLength: most })
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined })
/** Members that are undefined are left out, as documents leave them out. */
const sparse = <T extends object>(members: { [K in keyof T]-?: fc.Arbitrary<T[K] | undefined> }): fc.Arbitrary<T> =>
  fc
    .record(members as Record<string, fc.Arbitrary<unknown>>)
    .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as T)

const plain = fc.constantFrom('a', 'b', 'ab')
export const pattern = fc.constantFrom('a', 'b', '*', 'a*', '^[ab]$', '{{external.x}}', 'a{{internal.logins}}')
const patterns = few(pattern)
const labels = fc.oneof(
  fc.constant({ '*': ['*'] }),
  fc.dictionary(fc.constantFrom('env', 'team'), patterns, { minKeys: 1, maxKeys: 2 }),
)

const impersonate = sparse<ImpersonateConditions>({
  users: maybe(few(fc.constantFrom('Bob', '*', '^[A-C]ob$', 'Al*', '{{external.x}}'))),
  roles: maybe(few(fc.constantFrom('*', 'r*', 'r0', '^r[12]$', 'r9'))),
})

/** As an administrator may write them: those that allow name ports, and an address says itself where it lies. */
const hostRule = (withoutPorts: boolean): fc.Arbitrary<HostRule> =>
  fc.oneof(
    fc.record({
      name: fc.constantFrom('git.internal', '*.internal', '*', '*.other.example'),
      ports: hostPorts(withoutPorts),
      networks: maybe(fc.subarray(['public', '10.0.0.0/8', '10.0.0.5', '2600::/16'], { minLength: 1 })),
    }),
    fc.record({
      name: fc.constantFrom('10.0.0.5', '10.0.0.0/8', '192.168.0.0/16', '2600::5'),
      ports: hostPorts(withoutPorts),
    }),
  ) as fc.Arbitrary<HostRule>

const hostPorts = (withoutPorts: boolean) => {
  const some = fc.constantFrom<(number | string)[]>([443], [22, 443], ['400-500'], [80])
  return withoutPorts ? maybe(some) : some
}

const hostRules = (withoutPorts: boolean) =>
  fc.array(hostRule(withoutPorts).map(withoutGaps), { minLength: 1, maxLength: 3 })
const withoutGaps = (rule: HostRule) => JSON.parse(JSON.stringify(rule)) as HostRule

/** `withoutPorts`: as only what is denied may be. */
const conditionsWith = (withoutPorts: boolean): fc.Arbitrary<RoleConditions> =>
  sparse<RoleConditions>({
    hosts: maybe(hostRules(withoutPorts)),
    logins: maybe(patterns),
    node_labels: maybe(labels),
    db_labels: maybe(labels),
    db_users: maybe(patterns),
    db_names: maybe(patterns),
    app_labels: maybe(labels),
    kubernetes_labels: maybe(labels),
    kubernetes_groups: maybe(patterns),
    kubernetes_users: maybe(patterns),
    kubernetes_resources: maybe(fc.constantFrom([{ kind: '*' }], [{ kind: 'pod' }])),
    windows_desktop_labels: maybe(labels),
    windows_desktop_logins: maybe(patterns),
    rules: fc.constant(undefined),
    impersonate: maybe(impersonate),
  })

export const conditions = conditionsWith(false)
/** What a role denies. */
export const denial = conditionsWith(true)

export const options: fc.Arbitrary<RoleOptions> = sparse<RoleOptions>({
  max_session_ttl: maybe(fc.constantFrom('1h', '8h', '30h')),
  require_session_mfa: maybe(fc.boolean()),
  device_trust_mode: maybe(fc.constantFrom('off' as const, 'optional' as const, 'required' as const)),
  lock: maybe(fc.constantFrom('strict' as const, 'best_effort' as const)),
  pin_source_ip: maybe(fc.boolean()),
  client_idle_timeout: maybe(fc.constantFrom('5m', '1h')),
  disconnect_expired_cert: maybe(fc.boolean()),
  max_connections: maybe(fc.integer({ min: 1, max: 5 })),
  max_sessions: maybe(fc.integer({ min: 1, max: 5 })),
  bearer_grants: maybe(fc.boolean()),
  device_flow: maybe(fc.boolean()),
})

/** Most deny nothing, so that something is allowed. */
const denials = fc.oneof({ weight: 3, arbitrary: fc.constant<RoleConditions>({}) }, { weight: 1, arbitrary: denial })

export const roleOf = (name: string): fc.Arbitrary<RoleDocument> =>
  fc.record({ options, allow: conditions, deny: denials }).map((spec) => ({
    kind: 'role',
    version: 'v7',
    metadata: { name },
    spec,
  }))

const target: fc.Arbitrary<LockTarget> = fc.constantFrom<LockTarget>(
  { user: 'Ada' },
  { user: 'bob' },
  { role: 'r0' },
  { role: 'r9' },
  { login: 'a' },
  { db: 'res' },
  { node: 'res' },
  { app: 'other' },
  { host: 'git.internal:443' },
  { proxy: 'p' },
)
export const lock: fc.Arbitrary<LockDocument> = fc
  .record({ target, expires: maybe(fc.constantFrom('2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z')) })
  .map(({ target: of, expires }) => ({
    kind: 'lock',
    version: 'v2',
    metadata: { name: 'l' },
    spec: { target: of, ...(expires !== undefined && { expires }) },
  }))

const metadata = fc
  .dictionary(fc.constantFrom('env', 'team', 'x'), plain, { maxKeys: 3 })
  .map((all) => ({ name: 'res', ...(Object.keys(all).length > 0 && { labels: all }) }))
const tls = { mode: 'verify-full' } as const

interface Target {
  readonly resource: SessionTarget
  readonly principal: ResourcePrincipal
}

/** That no document describes. */
const hosts: fc.Arbitrary<Target> = fc.record({
  resource: fc
    .constantFrom('git.internal:443', 'git.internal:22', 'a.b.internal:443', '10.0.0.5:443', '[2600::5]:443')
    .map((name): SessionTarget => ({ kind: 'host', metadata: { name } })),
  principal: fc.constant({}),
})

export const targets: fc.Arbitrary<Target> = metadata.chain((of) =>
  fc.oneof(
    fc.record({
      resource: fc.constant<SessionTarget>({ kind: 'node', version: 'v2', metadata: of, spec: { addr: 'h:22' } }),
      principal: fc.record({ login: plain }),
    }),
    fc.record({
      resource: fc.constant<SessionTarget>({
        kind: 'db',
        version: 'v3',
        metadata: of,
        spec: { protocol: 'postgres', uri: 'h:5432', tls },
      }),
      principal: fc.record({ db_user: plain, db_name: plain }),
    }),
    fc.record({
      resource: fc.constant<SessionTarget>({
        kind: 'kube_cluster',
        version: 'v3',
        metadata: of,
        spec: { uri: 'h:6443', tls },
      }),
      principal: fc.record({
        kubernetes_user: fc.constantFrom('a', 'b', 'Ada'),
        kubernetes_groups: fc.subarray(['a', 'b']),
      }),
    }),
    fc.record({
      resource: fc.constant<SessionTarget>({ kind: 'app', version: 'v3', metadata: of, spec: { uri: 'tcp://h:1' } }),
      principal: fc.constant({}),
    }),
    fc.record({
      resource: fc.constant<SessionTarget>({
        kind: 'windows_desktop',
        version: 'v3',
        metadata: of,
        spec: { addr: 'h:3389' },
      }),
      principal: fc.record({ login: plain }),
    }),
    hosts,
  ),
)

export const traits: fc.Arbitrary<Traits> = fc.dictionary(fc.constantFrom('x', 'logins'), few(plain), { maxKeys: 2 })

const preference: fc.Arbitrary<Preference> = fc
  .record({
    requireSessionMfa: fc.boolean(),
    defaultSessionTtl: fc.constantFrom(hours(1), hours(12)),
    deviceTrust: fc.constantFrom('off' as const, 'off' as const, 'optional' as const, 'required' as const),
    lockingMode: fc.constantFrom('strict' as const, 'best_effort' as const),
  })
  .map((some) => ({ ...defaultPreference, ...some }))

/** `other`: as whom the user may want to act. */
export interface Cluster extends Facts {
  readonly lockDocuments: readonly LockDocument[]
  readonly other: RoleHolder
}

/** One of the roles that the user holds is nobody's, now and then. */
const clustersOn = (target: fc.Arbitrary<Target>): fc.Arbitrary<Cluster> =>
  fc
    .record({
      roles: fc.tuple(roleOf('r0'), roleOf('r1'), roleOf('r2')),
      held: fc.subarray(['r0', 'r1', 'r2', 'r9'], { minLength: 1 }),
      lockDocuments: fc.oneof(
        { weight: 3, arbitrary: fc.constant<LockDocument[]>([]) },
        { weight: 1, arbitrary: fc.array(lock, { maxLength: 3 }) },
      ),
      target,
      of: traits,
      preference,
      device: maybe(fc.constant('d')),
      other: fc.record({
        name: fc.constant('Bob'),
        roles: fc.subarray(['r0', 'r1', 'r2', 'r9'], { maxLength: 2 }),
        traits,
      }),
    })
    .map(({ roles, held, lockDocuments, target: { resource, principal }, of, preference: here, device, other }) => ({
      user: { name: 'Ada', roles: held, traits: of },
      other,
      roles: new Map(roles.map((one) => [one.metadata.name, one])),
      locks: locksByTarget(lockDocuments),
      lockDocuments,
      preference: here,
      resource,
      principal,
      by: { proxy: 'p', ...(device !== undefined && { device }) },
      now,
    }))

export const clusters = clustersOn(targets)
export const hostClusters = clustersOn(hosts)
