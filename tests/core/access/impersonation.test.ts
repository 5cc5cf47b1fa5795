import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide, type Facts, locksByTarget } from '../../../core/access/decide.ts'
import type { RoleHolder } from '../../../core/access/held-roles.ts'
import { decideAs, mayImpersonate } from '../../../core/access/impersonation.ts'
import type { LockDocument } from '../../../core/access/lock.ts'
import { defaultPreference } from '../../../core/access/preference.ts'
import type { ResourceDocument } from '../../../core/access/resource.ts'
import type { ImpersonateConditions, RoleConditions, RoleDocument, RoleOptions } from '../../../core/access/role.ts'
import { hours, minutes } from '../../../core/model.ts'
import { clusters, now } from './clusters.ts'

interface Written {
  readonly allow?: ImpersonateConditions
  readonly deny?: ImpersonateConditions
  readonly options?: RoleOptions
  readonly reach?: RoleConditions
}

const role = (name: string, { allow, deny, options = {}, reach = {} }: Written): RoleDocument => ({
  kind: 'role',
  version: 'v7',
  metadata: { name },
  spec: {
    options,
    allow: { ...reach, ...(allow && { impersonate: allow }) },
    deny: deny ? { impersonate: deny } : {},
  },
})

const everywhere: RoleConditions = { node_labels: { '*': ['*'] }, logins: ['*'] }
const deployer = role('deployer', { reach: everywhere })
const host: ResourceDocument = {
  kind: 'node',
  version: 'v2',
  metadata: { name: 'web-1' },
  spec: { addr: '127.0.0.1:22' },
}
const jenkins: RoleHolder = { name: 'jenkins', roles: ['deployer'] }
const anybody = { users: ['*'], roles: ['*'] }

function factsOf(roles: readonly RoleDocument[], more: Partial<Facts> = {}): Facts {
  return {
    user: { name: 'Ada', roles: roles.map(({ metadata }) => metadata.name) },
    roles: new Map([deployer, ...roles].map((one) => [one.metadata.name, one])),
    locks: new Map(),
    preference: defaultPreference,
    resource: host,
    principal: { login: 'root' },
    now,
    ...more,
  }
}

describe('acting as another user', () => {
  test.each<[string, readonly RoleDocument[], boolean]>([
    ['no role says so', [role('r', {})], false],
    ['a role names him and his role', [role('r', { allow: { users: ['jenkins'], roles: ['deployer'] } })], true],
    ['patterns', [role('r', { allow: { users: ['jen*'], roles: ['^dep.*$'] } })], true],
    ['a role names him and no role', [role('r', { allow: { users: ['jenkins'] } })], false],
    ['a role names his role and nobody', [role('r', { allow: { roles: ['deployer'] } })], false],
    ['a role names another user', [role('r', { allow: { users: ['bob'], roles: ['*'] } })], false],
    [
      'one role names him, another one his role',
      [role('a', { allow: { users: ['jenkins'] } }), role('b', { allow: { roles: ['*'] } })],
      false,
    ],
    [
      'what one allows, another denies by the user',
      [role('a', { allow: anybody }), role('b', { deny: { users: ['jenkins'] } })],
      false,
    ],
    [
      'what one allows, another denies by the role',
      [role('a', { allow: anybody }), role('b', { deny: { roles: ['dep*'] } })],
      false,
    ],
    [
      'a denial of others',
      [role('a', { allow: anybody }), role('b', { deny: { users: ['bob'], roles: ['editor'] } })],
      true,
    ],
  ])('%s', (_, roles, may) => {
    const decision = decideAs(factsOf(roles), jenkins)
    expect(decision.outcome).toBe(may ? 'allow' : 'refuse')
    if (decision.outcome === 'refuse')
      expect(decision).toMatchObject({ because: 'not_allowed', told: 'No role of yours lets you act as jenkins.' })
  })

  test('every role that the other holds must be named, so that nobody borrows more than was meant', () => {
    const roles = [role('r', { allow: { users: ['*'], roles: ['deployer'] } })]
    const facts = factsOf(roles)
    const more = { ...jenkins, roles: ['deployer', 'editor'] }
    expect(mayImpersonate(facts.user, jenkins, facts.roles)).toBe(true)
    expect(mayImpersonate(facts.user, more, facts.roles)).toBe(false)
    expect(decideAs(facts, more).outcome).toBe('refuse')
  })

  test('a template stands for what the one has who acts, never for what the other has', () => {
    const roles = [role('r', { allow: { users: ['{{external.team}}-bot'], roles: ['*'] } })]
    const of = (traits: RoleHolder['traits'], other: RoleHolder) =>
      decideAs(factsOf(roles, { user: { name: 'Ada', roles: ['r'], ...(traits && { traits }) } }), other).outcome
    const bot = { name: 'web-bot', roles: ['deployer'], traits: { team: ['web'] } }
    expect(of({ team: ['web'] }, bot)).toBe('allow')
    expect(of({ team: ['db'] }, bot)).toBe('refuse')
    expect(of(undefined, bot)).toBe('refuse')
  })

  test('the rights are those of the other alone, and no chain of others', () => {
    const chain = role('chain', { allow: anybody })
    const facts = factsOf([chain, role('own', { reach: everywhere })])
    expect(decideAs(facts, { name: 'nobody', roles: [] }).outcome).toBe('refuse')
    // Who may act as others lends that right to nobody.
    expect(decideAs(facts, { name: 'middle', roles: ['chain'] }).outcome).toBe('refuse')
  })

  test('each session wants a tap, and the limits of both hold', () => {
    const strict = role('strict', {
      allow: anybody,
      options: { max_session_ttl: '1h', max_sessions: 2, pin_source_ip: true, client_idle_timeout: '30m' },
    })
    const lent = role('lent', { reach: everywhere, options: { max_sessions: 5, client_idle_timeout: '5m' } })
    const facts = factsOf([strict], { roles: new Map([strict, lent].map((one) => [one.metadata.name, one])) })
    const decision = decideAs(facts, { name: 'jenkins', roles: ['lent'] })
    expect(decision).toMatchObject({
      constraints: { tap: true, maxTtl: hours(1), maxSessions: 2, pinSourceIp: true, clientIdleTimeout: minutes(5) },
    })
    expect(decision.trace()).toEqual(['strict: allow.impersonate allows jenkins', 'lent: allows'])
  })

  test.each([
    ['the one who acts', { user: 'ada' }],
    ['a role of his', { role: 'r' }],
    ['the other', { user: 'jenkins' }],
    ['a role of the other', { role: 'deployer' }],
    ['the passkey', { mfa_device: 'k' }],
    ['the host', { node: 'web-1' }],
  ])('a lock on %s stands in the way', (_, target) => {
    const facts = factsOf([role('r', { allow: anybody })], { by: { credentials: ['k' as never] } })
    const lock: LockDocument = { kind: 'lock', version: 'v2', metadata: { name: 'l' }, spec: { target } }
    expect(decideAs(facts, jenkins).outcome).toBe('allow')
    expect(decideAs({ ...facts, locks: locksByTarget([lock]) }, jenkins)).toMatchObject({ because: 'locked' })
  })

  test('a trusted device that a role of either wants is wanted', () => {
    const wanting: RoleOptions = { device_trust_mode: 'required' }
    const [own, lent] = [
      role('r', { allow: anybody, options: wanting }),
      role('lent', { reach: everywhere, options: wanting }),
    ]
    const other = { name: 'jenkins', roles: ['lent'] }
    const plain = role('r', { allow: anybody })
    const roles = (...all: readonly RoleDocument[]) => ({ roles: new Map(all.map((one) => [one.metadata.name, one])) })
    expect(decideAs(factsOf([own]), jenkins)).toMatchObject({ because: 'device_untrusted' })
    expect(decideAs(factsOf([plain], roles(plain, lent)), other)).toMatchObject({ because: 'device_untrusted' })
    const withDevice = { by: { device: 'd' } }
    expect(decideAs(factsOf([own], withDevice), jenkins).outcome).toBe('allow')
  })
})

test('nobody does as another what the other may not, and never less strictly', () => {
  const seen = new Set<string>()
  const property = fc.property(clusters, ({ other, ...facts }) => {
    const decision = decideAs(facts, other)
    seen.add(decision.outcome)
    if (decision.outcome === 'refuse') return
    const own = decide({ ...facts, user: other })
    expect(own.outcome).toBe('allow')
    expect(decision.constraints.tap).toBe(true)
    if (own.outcome === 'allow') expect(decision.constraints.maxTtl).toBeLessThanOrEqual(own.constraints.maxTtl)
    const silent = [...facts.roles].map(([name, { spec, ...one }]) => {
      const { impersonate: _, ...allow } = spec.allow
      return [name, { ...one, spec: { ...spec, allow } }] as const
    })
    expect(decideAs({ ...facts, roles: new Map(silent) }, other).outcome).toBe('refuse')
  })
  fc.assert(property, { numRuns: 5000 })
  expect([...seen].sort()).toEqual(['allow', 'refuse'])
})
