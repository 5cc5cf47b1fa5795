/**
 * Several sessions by one tap: which sets there are, and how a grant for one opens a session of it. Each of its sessions is opened as
 * often as the tap says, within the grant's minute, and everything else about it is as if it had been asked for alone.
 */
import {
  canonicalJson,
  isSessionSet,
  type Json,
  membersOf,
  type SessionInSet,
  type SessionSubject,
  type Subjects,
} from '../intent.ts'
import type { Grant, SessionGrant } from '../issue/grant.ts'
import { Refusal } from '../refusal.ts'

export const mostInSet = 32
export const mostUses = 16
/** Of the canonical list: the grant, with ticket and tap in it, must pass as one line of a head, of 8192 bytes (core/route/connect.ts). */
const longestSet = 3584

export const isCount = (json: Json | undefined): boolean =>
  typeof json === 'number' && Number.isInteger(json) && json >= 1 && json <= mostUses

/** Why there is no such set; undefined where there is. */
function whyNoSet(sessions: readonly Json[]): string | undefined {
  if (sessions.length < 1 || sessions.length > mostInSet) return `it takes 1 to ${mostInSet} resources`
  const names = sessions.map((one) => membersOf(membersOf(one)['resource'])['name'])
  if (!names.every((name) => typeof name === 'string')) return 'a resource without a name'
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) return `${twice} stands in it twice`
  if (!sessions.every((one) => isCount(membersOf(one)['count']))) return `each opens 1 to ${mostUses} times`
  return canonicalJson(sessions).length > longestSet ? 'it is too long: name fewer resources' : undefined
}

/** @throws Refusal target_invalid */
export function requireSet(sessions: readonly SessionInSet[]): void {
  const why = whyNoSet(sessions)
  if (why !== undefined)
    throw new Refusal('target_invalid', { why }, { told: `No one tap approves these sessions: ${why}.` })
}

/**
 * What a grant is for, of the resource that a connection asks for. Of one session it is that session, whatever the name: that is held
 * against it when it opens. @throws Refusal grant_invalid where a set has none of the name, or the uses are none
 */
export function sessionIn(grant: Grant<Subjects['session']>, target: string): SessionGrant {
  const { subject } = grant
  if (!isSessionSet(subject)) return { ...grant, subject, approved: subject, uses: usesOf(grant, subject) }
  const { sessions, ...more } = subject
  if (!Array.isArray(sessions) || whyNoSet(sessions) !== undefined) throw new Refusal('grant_invalid', { why: 'set' })
  const found = subject.sessions.find(({ resource }) => resource.name === target)
  if (!found) throw new Refusal('grant_invalid', { why: 'another resource' })
  const { resource, principal, count } = found
  const uses = { key: `${grant.id} ${resource.kind} ${resource.name}`, most: count }
  return { ...grant, subject: { resource, principal, ...more }, approved: subject, uses }
}

/** What no tap guards opens as often as its key is shown; what one guards as often as it says. */
function usesOf(grant: Grant<Subjects['session']>, { uses = 1, resource }: SessionSubject): SessionGrant['uses'] {
  const key = `${grant.id} ${resource.kind} ${resource.name}`
  if (uses === 'any' && !grant.tap && !grant.code) return { key, most: undefined }
  if (!isCount(uses)) throw new Refusal('grant_invalid', { why: 'uses' })
  return { key: uses === 1 ? grant.id : key, most: uses as number }
}
