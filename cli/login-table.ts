/** How sessions of browsers and logins of programs are listed: one's own, and for administrators anybody's. */
import type { AnswerOf } from '../core/api/operation.ts'
import type { operations } from '../core/api/operations.ts'
import { type Format, printTable, show } from './term.ts'
import { readable, timestamp } from './times.ts'

type Logins = AnswerOf<typeof operations.loginsList>['logins']

export async function showLogins(format: Format, logins: Logins, withUsers: boolean): Promise<void> {
  const data = logins.map(({ opened_at, last_seen_at, expires_at, ...login }) => ({
    ...login,
    opened_at: timestamp(opened_at),
    last_seen_at: timestamp(last_seen_at),
    expires_at: timestamp(expires_at),
  }))
  const columns = ['KIND', 'VIA', 'CLIENT', 'FROM', 'SINCE', 'LAST SEEN', 'ENDS', 'ID']
  await show(format, data, () =>
    printTable(
      withUsers ? ['USER', ...columns] : columns,
      logins.map((login) => (withUsers ? [login.user, ...rowOf(login)] : rowOf(login))),
    ),
  )
}

const rowOf = ({ id, kind, via, client, address, opened_at, last_seen_at, expires_at, this_one }: Logins[number]) => [
  this_one ? `${kind} (this one)` : kind,
  via,
  client,
  address,
  readable(opened_at),
  readable(last_seen_at),
  readable(expires_at),
  id,
]
