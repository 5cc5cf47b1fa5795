import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Constraints } from '../../../core/access/constraints.ts'
import { type Decision, decide, type Facts, locksByTarget } from '../../../core/access/decide.ts'
import { mayReach } from '../../../core/access/host-rule.ts'
import { hostOf } from '../../../core/access/host-target.ts'
import type { ResourceKind } from '../../../core/access/resource.ts'
import type { RoleDocument } from '../../../core/access/role.ts'
import { parseAddress } from '../../../core/route/address.ts'
import { clusters, denial, hostClusters, lock, roleOf, traits } from './clusters.ts'

const runs = { numRuns: 2000 }
/** With its trace read, so that two can be compared. */
const said = (decision: Decision) => ({ ...decision, trace: decision.trace() })
const allows = (facts: Facts) => decide(facts).outcome === 'allow'

const withRole = (facts: Facts, role: RoleDocument): Facts => ({
  ...facts,
  user: { ...facts.user, roles: [...facts.user.roles, role.metadata.name] },
  roles: new Map([...facts.roles, [role.metadata.name, role]]),
})

test('enough of the generated clusters allow, and enough refuse, for each kind', () => {
  const seen = new Map<string, number>()
  for (const facts of fc.sample(clusters, 4000)) {
    const key = `${facts.resource.kind} ${decide(facts).outcome}`
    seen.set(key, (seen.get(key) ?? 0) + 1)
  }
  for (const kind of ['node', 'db', 'kube_cluster', 'app', 'windows_desktop', 'host']) {
    expect(seen.get(`${kind} allow`), kind).toBeGreaterThan(10)
    expect(seen.get(`${kind} refuse`), kind).toBeGreaterThan(10)
  }
})

test('deny beats allow: what one role denies, no other gives', () => {
  const property = fc.property(clusters, (facts) => {
    const everything: RoleDocument = everythingRole()
    const { kind } = facts.resource
    const denied = decide(withRole(withRole(facts, everything), denyingRole(kind)))
    expect(denied.outcome).toBe('refuse')
  })
  fc.assert(property, runs)
})

const labelsOf = { node: 'node', db: 'db', kube_cluster: 'kubernetes', app: 'app', windows_desktop: 'windows_desktop' }
const anyLabels = { '*': ['*'] }

const named = (name: string, allow: object, deny: object): RoleDocument => ({
  kind: 'role',
  version: 'v7',
  metadata: { name },
  spec: { options: {}, allow, deny },
})

const everythingRole = (): RoleDocument => {
  const labels = Object.values(labelsOf).map((kind) => [`${kind}_labels`, anyLabels])
  const lists = ['logins', 'db_users', 'db_names', 'kubernetes_users', 'kubernetes_groups', 'windows_desktop_logins']
  return named('all', { ...Object.fromEntries([...labels, ...lists.map((list) => [list, ['*']])]), hosts: anyHost }, {})
}

const ports = ['1-65535']
const anyHost = [
  { name: '*', ports, networks: ['public', '10.0.0.0/8'] },
  { name: '10.0.0.0/8', ports },
]

const denyingRole = (kind: ResourceKind): RoleDocument =>
  named('never', {}, kind === 'host' ? { hosts: [{ name: '*' }] } : { [`${labelsOf[kind]}_labels`]: anyLabels })

test('adding a denial to a role never allows more', () => {
  const property = fc.property(clusters, denial, fc.nat(2), (facts, deny, at) => {
    const name = `r${at}`
    const role = facts.roles.get(name) as RoleDocument
    const stricter = { ...role, spec: { ...role.spec, deny: { ...deny, ...role.spec.deny } } }
    const after = { ...facts, roles: new Map(facts.roles).set(name, stricter) }
    if (allows(after)) expect(allows(facts)).toBe(true)
  })
  fc.assert(property, runs)
})

/** Inside and outside of what the generated rules name, and what nobody may reach unless it is named. */
const addresses = [
  '8.8.8.8',
  '2600::5',
  '2600::6',
  '10.0.0.5',
  '10.0.0.6',
  '192.168.0.1',
  '127.0.0.1',
  '169.254.169.254',
]

/** Whether a session on the host would be opened at that address. */
function reaches(facts: Facts, address: string): boolean {
  const decision = decide(facts)
  if (decision.outcome === 'refuse' || !decision.constraints.networks) return false
  return mayReach(parseAddress(address) as Uint8Array, decision.constraints.networks)
}

test('a host is dialled where some role lets it lie: adding a denial never lets it lie at more', () => {
  const seen = { reached: 0, taken: 0 }
  const property = fc.property(hostClusters, denial, fc.constantFrom(...addresses), (facts, deny, address) => {
    const after = withRole(facts, named('stricter', {}, deny))
    const [before, now] = [reaches(facts, address), reaches(after, address)]
    if (now) expect(before).toBe(true)
    seen.reached += Number(before)
    seen.taken += Number(before && !now)
  })
  fc.assert(property, runs)
  expect(seen.reached).toBeGreaterThan(10)
  expect(seen.taken).toBeGreaterThan(10)
})

test('one role of those held allows both the host and where it lies', () => {
  const property = fc.property(hostClusters, fc.constantFrom(...addresses), (facts, address) => {
    if (!reaches(facts, address)) return
    const alone = facts.user.roles.map((role) => ({ ...facts, user: { ...facts.user, roles: [role] } }))
    expect(alone.some((one) => reaches(one, address))).toBe(true)
  })
  fc.assert(property, runs)
})

test('a session on an address is opened at that address or nowhere', () => {
  const property = fc.property(hostClusters, (facts) => {
    const { address } = hostOf(facts.resource.metadata.name)
    const decision = decide(facts)
    if (!address || decision.outcome === 'refuse') return
    expect(mayReach(address, decision.constraints.networks ?? { allowed: [], denied: [] })).toBe(true)
  })
  fc.assert(property, runs)
})

test('a member of a host that this version does not know allows nothing, and denies everything', () => {
  const strange = { name: '*.nowhere.example', ports, protocols: ['tls'] }
  const property = fc.property(hostClusters, (facts) => {
    const nobody = { ...facts, user: { ...facts.user, roles: [] } }
    expect(allows(withRole(nobody, named('odd', { hosts: [{ ...strange, name: '*' }] }, {})))).toBe(false)
    expect(allows(withRole(withRole(facts, everythingRole()), named('odd', {}, { hosts: [strange] })))).toBe(false)
  })
  fc.assert(property, { numRuns: 200 })
})

test('adding a lock never allows more, and one that is over changes nothing', () => {
  const property = fc.property(clusters, lock, (facts, added) => {
    const after = { ...facts, locks: locksByTarget([...facts.lockDocuments, added]) }
    if (allows(after)) expect(allows(facts)).toBe(true)
    if (added.spec.expires?.startsWith('2020')) expect(decide(after).outcome).toBe(decide(facts).outcome)
  })
  fc.assert(property, runs)
})

const least = (a: number | undefined, b: number | undefined) =>
  Math.min(a ?? Number.POSITIVE_INFINITY, b ?? Number.POSITIVE_INFINITY)

const isAsStrict = (after: Constraints, before: Constraints): boolean =>
  Number(after.tap) >= Number(before.tap) &&
  after.maxTtl <= before.maxTtl &&
  Number(after.pinSourceIp) >= Number(before.pinSourceIp) &&
  Number(after.disconnectExpiredCert) >= Number(before.disconnectExpiredCert) &&
  Number(after.strictLocks) >= Number(before.strictLocks) &&
  (before.networks?.denied ?? []).every((one) => after.networks?.denied.includes(one)) &&
  least(after.clientIdleTimeout, before.clientIdleTimeout) === (after.clientIdleTimeout ?? Number.POSITIVE_INFINITY) &&
  least(after.maxConnections, before.maxConnections) === (after.maxConnections ?? Number.POSITIVE_INFINITY) &&
  least(after.maxSessions, before.maxSessions) === (after.maxSessions ?? Number.POSITIVE_INFINITY)

test('of two settings the stricter wins: one more role loosens none of what limits a session', () => {
  const property = fc.property(clusters, roleOf('more'), (facts, more) => {
    const [before, after] = [decide(facts), decide(withRole(facts, more))]
    if (before.outcome !== 'allow' || after.outcome !== 'allow') return
    expect(isAsStrict(after.constraints, before.constraints)).toBe(true)
  })
  fc.assert(property, runs)
})

test('an unknown value refuses: a role that is not there, a duration or an expression that cannot be read', () => {
  const property = fc.property(clusters, (facts) => {
    const nobody = { ...facts, user: { ...facts.user, roles: ['gone'] } }
    expect(decide(nobody).outcome).toBe('refuse')
    const odd = named('odd', { ...everythingRole().spec.allow, logins: ['^(a$'], db_users: ['^(a$'] }, {})
    const strange = { ...odd, spec: { ...odd.spec, options: { max_session_ttl: 'a while' } } }
    const decision = decide(withRole({ ...facts, user: { ...facts.user, roles: [] } }, strange))
    if (facts.resource.kind === 'node' || facts.resource.kind === 'db') expect(decision.outcome).toBe('refuse')
    if (decision.outcome === 'allow') expect(decision.constraints.maxTtl).toBe(0)
  })
  fc.assert(property, runs)
})

test('traits give nothing to roles that have no templates', () => {
  const withoutTemplates = (role: RoleDocument): RoleDocument =>
    JSON.parse(JSON.stringify(role).replaceAll(/[a-z]?\{\{[^}]*\}\}/g, 'z')) as RoleDocument
  const property = fc.property(clusters, traits, (facts, other) => {
    const roles = new Map([...facts.roles].map(([name, role]) => [name, withoutTemplates(role)]))
    const plain = { ...facts, roles }
    expect(said(decide({ ...plain, user: { ...plain.user, traits: other } }))).toEqual(said(decide(plain)))
  })
  fc.assert(property, runs)
})

test('every decision says why', () => {
  const property = fc.property(clusters, (facts) => {
    const decision = decide(facts)
    expect(decision.trace().length).toBeGreaterThan(0)
    if (decision.outcome === 'refuse') expect(decision.told).not.toBe('')
  })
  fc.assert(property, runs)
})
