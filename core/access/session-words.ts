/** A session in words: what somebody approves, what a program was asked for. */
import { isSessionSet, type SessionSetSubject, type SessionSubject, type Subjects } from '../intent.ts'
import { membersOfPrincipal, type ResourceKind, type ResourcePrincipal, resourceKinds, valuesOf } from './resource.ts'

/** Such as `db_user reader, db_name orders`; empty where the kind has no principal. */
export const principalInWords = (kind: ResourceKind, principal: ResourcePrincipal): string =>
  membersOfPrincipal(kind)
    .flatMap(({ field }) => {
      const values = valuesOf(principal, field)
      return values.length === 0 ? [] : [`${memberWords[field] ?? field} ${values.join(', ')}`]
    })
    .join(', ')

const memberWords: Readonly<Record<string, string>> = {
  db_user: 'user',
  db_name: 'database',
  login: 'login',
  kubernetes_user: 'user',
  kubernetes_groups: 'groups',
}

/** What a tap approves, of one session or of a set. */
export const approvedInWords = (subject: Subjects['session']): string =>
  isSessionSet(subject) ? setInWords(subject) : onceOrMore(subject)

const onceOrMore = ({ uses, ...session }: SessionSubject): string =>
  typeof uses === 'number' && uses > 1 ? `${sessionInWords(session)} ${timesInWords(uses)}` : sessionInWords(session)

/** Such as `pg-1 (user reader, database orders) 3 times, wiki once`. */
export const setInWords = ({ sessions }: Pick<SessionSetSubject, 'sessions'>): string =>
  sessions.map((one) => `${sessionInWords(one)} ${timesInWords(one.count)}`).join(', ')

export const timesInWords = (count: number): string => (count === 1 ? 'once' : `${count} times`)

/** Such as `pg-1 (user reader, database orders)`. */
export function sessionInWords({ resource, principal }: Pick<SessionSubject, 'resource' | 'principal'>): string {
  const as = principalInWords(resource.kind, principal)
  return as === '' ? resource.name : `${resource.name} (${as})`
}

/** Such as `the database pg-1`. */
export const resourceInWords = ({ kind, name }: SessionSubject['resource']): string =>
  `the ${resourceKinds[kind].words} ${name}`
