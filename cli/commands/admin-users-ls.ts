import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { formatOf, printTable, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'

export default command({
  doing: 'list the users',
  help: `Usage: sallyport admin users ls [--format=text|json|yaml]

All users, those who are invited, and until when links for them work. Whose link expired
(expired), or who was made by a document and has none yet (new), gets one:
sallyport admin users reset NAME. Whoever holds a role that is locked is locked too.
A lock on a single passkey locks no user: sallyport admin locks ls shows it.

Examples:
  sallyport admin users ls
  sallyport admin users ls --format=json
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const { users } = await call(await openSession(values.profile), operations.usersList, {})
    const data = users.map(({ created_at, link, locked_by, ...user }) => ({
      ...user,
      locked_by: locked_by ?? null,
      link: link ? { kind: link.kind, expires_at: timestamp(link.expires_at) } : null,
      created_at: timestamp(created_at),
    }))
    await show(format, data, () =>
      printTable(
        ['NAME', 'ROLES', 'STATE', 'PASSKEYS', 'LINK UNTIL', 'CREATED'],
        users.map(({ name, roles, state, locked_by, passkeys, link, created_at }) => [
          name,
          roles.join(','),
          locked_by?.startsWith('role:') ? `locked (role ${locked_by.slice(5)})` : state,
          String(passkeys),
          link ? readable(link.expires_at) : '-',
          readable(created_at),
        ]),
      ),
    )
    return 'ok'
  },
})
