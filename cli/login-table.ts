/** How sessions are listed, of browsers and programs that are signed in and on resources: one's own, and for administrators anybody's. */
import type { AnswerOf } from '../core/api/operation.ts'
import type { operations } from '../core/api/operations.ts'
import { type Format, printTable, show } from './term.ts'
import { readable, timestamp } from './times.ts'

type Logins = AnswerOf<typeof operations.loginsList>['logins']
type Sessions = AnswerOf<typeof operations.openSessionsList>['sessions']

export async function showSessions(
  format: Format,
  { logins, sessions }: { readonly logins: Logins; readonly sessions: Sessions },
  withUsers: boolean,
): Promise<void> {
  const data = logins.map(({ opened_at, last_seen_at, expires_at, ...login }) => ({
    ...login,
    opened_at: timestamp(opened_at),
    last_seen_at: timestamp(last_seen_at),
    expires_at: timestamp(expires_at),
  }))
  const open = sessions.map(({ opened_at, impersonated, ...session }) => ({
    ...{ kind: 'session', ...session, opened_at: timestamp(opened_at) },
    ...(impersonated !== undefined && { impersonated }),
  }))
  const withUser = <T extends { readonly user: string }>(row: (one: T) => string[]) => {
    return (one: T) => (withUsers ? [one.user, ...row(one)] : row(one))
  }
  const first = withUsers ? ['USER'] : []
  await show(format, [...data, ...open], () => {
    printTable([...first, ...loginColumns], logins.map(withUser(loginRow)))
    if (sessions.length === 0) return
    printTable([...first, ...sessionColumns], sessions.map(withUser(sessionRow)))
  })
}

const loginColumns = ['KIND', 'VIA', 'CLIENT', 'FROM', 'SINCE', 'LAST SEEN', 'ENDS', 'ID']
const sessionColumns = ['SESSION ON', 'AS', 'THROUGH', 'FROM', 'SINCE', 'ID']

const loginRow = ({
  id,
  kind,
  via,
  client,
  address,
  opened_at,
  last_seen_at,
  expires_at,
  this_one,
}: Logins[number]) => [
  this_one ? `${kind} (this one)` : kind,
  via,
  client,
  address,
  readable(opened_at),
  readable(last_seen_at),
  readable(expires_at),
  id,
]

const sessionRow = ({ id, resource, principal, impersonated, proxy, address, opened_at }: Sessions[number]) => [
  `${resource.kind}/${resource.name}`,
  impersonated === undefined ? principal : `${principal} (rights of ${impersonated})`.trim(),
  proxy,
  address,
  readable(opened_at),
  id,
]
