/** Documents on one line each, for people. */
import type { PreferenceDocument } from '../core/access/auth-preference.ts'
import type { Document } from '../core/access/document.ts'
import { formatDuration } from '../core/access/duration.ts'
import { hostInWords } from '../core/access/host-rule.ts'
import { type LockDocument, targetInWords } from '../core/access/lock.ts'
import { type Preference, preferenceOf } from '../core/access/preference.ts'
import { isPreset } from '../core/access/presets.ts'
import {
  addressOf,
  kindsOfResources,
  type ListCondition,
  type ResourceDocument,
  type ResourceKind,
  resourceKinds,
} from '../core/access/resource.ts'
import type { LabelMatchers, RoleConditions, RoleDocument } from '../core/access/role.ts'
import type { UserDocument } from '../core/access/user.ts'

/** Columns as wide as their widest entry; the last one ends where it ends. Text in a document has no control characters. */
export function table(documents: readonly Document[]): string {
  const rows = [
    ['NAME', 'KIND', 'WHAT IT SAYS'],
    ...documents.map((one) => [one.metadata.name, one.kind, summary(one)]),
  ]
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return `${rows.map((row) => line(row).trimEnd()).join('\n')}\n`
}

function summary(document: Document): string {
  switch (document.kind) {
    case 'role':
      return roleSummary(document)
    case 'lock':
      return lockSummary(document)
    case 'cluster_auth_preference':
      return preferenceSummary(document)
    case 'user':
      return userSummary(document)
    default:
      return resourceSummary(document)
  }
}

function roleSummary({ metadata, spec: { options, allow, deny } }: RoleDocument): string {
  if (isPreset(metadata.name)) return metadata.description ?? ''
  const parts = [
    conditions(allow) || 'allows nothing',
    Object.keys(deny).length > 0 && `never ${conditions(deny)}`,
    options.require_session_mfa && 'with a tap each session',
    options.max_session_ttl && `for ${options.max_session_ttl} at most`,
  ]
  return parts.filter((part) => part).join('; ')
}

/** Such as `databases env=dev,staging team=a, users reader, names app`. */
function conditions(role: RoleConditions): string {
  const { rules = [] } = role
  const parts = [
    ...kindsOfResources.map((kind) => reachOf(role, kind)),
    rules.length > 0 && `administers ${rules.map(({ resources }) => resources.join(',')).join(' ')}`,
  ]
  return parts.filter((part) => part).join(', ')
}

function reachOf(role: RoleConditions, kind: ResourceKind): string {
  const { named, members, words } = resourceKinds[kind]
  const names = named === 'hosts' ? hostsIn(role) : labelsIn(role[named] ?? {})
  const lists = members.flatMap(({ list }: { readonly list: ListCondition }) =>
    role[list] ? [`${list.replace(/^[a-z]+_/, '')} ${role[list].join(',')}`] : [],
  )
  return [...(names.length > 0 ? [`${words}s ${names.join(' ')}`] : []), ...lists].join(', ')
}

const labelsIn = (wanted: LabelMatchers) =>
  Object.entries(wanted).map(([label, values]) => `${label}=${values.join(',')}`)

const hostsIn = ({ hosts = [] }: RoleConditions) => hosts.map(hostInWords)

const unverified = {
  'verify-full': '',
  'verify-ca': '; its name is not verified',
  insecure: '; NOT VERIFIED',
  disable: '; no TLS of the proxy',
}

function resourceSummary(resource: ResourceDocument): string {
  const warning = 'tls' in resource.spec ? unverified[resource.spec.tls.mode] : ''
  const what = resource.kind === 'db' ? resource.spec.protocol : resourceKinds[resource.kind].words
  return `${what} at ${resource.kind === 'app' ? resource.spec.uri : addressOf(resource)}${warning}`
}

function lockSummary({ spec: { target, message, expires } }: LockDocument): string {
  return `locks the ${targetInWords(target)} ${expires ? `until ${expires}` : 'for ever'}${message ? `: ${message}` : ''}`
}

/** Such as `roles access,dev; logins ada; team orders,ops`. */
function userSummary({ spec: { roles = [], traits = {} } }: UserDocument): string {
  const named = Object.entries(traits).map(([trait, values]) => `${trait} ${values.join(',')}`)
  return [roles.length > 0 ? `roles ${roles.join(',')}` : 'no role', ...named].join('; ')
}

/** Such as `passkeys alone, or passwords with webauthn or otp; sessions of 12h at most`. */
function preferenceSummary(document: PreferenceDocument): string {
  const preference = preferenceOf(document)
  const { passwordless, passwords, requireSessionMfa, attestation, rpId, defaultSessionTtl } = preference
  const ways = [passwordless && 'passkeys alone', passwords && `passwords ${factorInWords(preference)}`]
  const parts = [
    ways.filter((way) => way).join(', or '),
    requireSessionMfa && 'a tap for each session',
    attestation && 'only some authenticators',
    rpId && `relying party ${rpId}`,
    `logins of ${formatDuration(defaultSessionTtl)} at most`,
  ]
  return parts.filter((part) => part).join('; ')
}

function factorInWords({ secondFactor, secondFactors }: Preference): string {
  if (secondFactor === 'off') return 'ALONE'
  const factors = secondFactors.join(' or ')
  return secondFactor === 'optional' ? `with ${factors} of who has one` : `with ${factors}`
}
