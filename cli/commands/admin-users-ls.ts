import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { formatOf, printTable, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'

export default command({
  doing: 'list the users',
  help: `Usage: sallyport admin users ls [--format=text|json|yaml]

All users, those who are invited, and until when links for them work. Whose link expired gets
a new one: sallyport admin users reset NAME

Examples:
  sallyport admin users ls
  sallyport admin users ls --format=json
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const { users } = await call(await openSession(values.profile), operations.usersList, {})
    const data = users.map(({ created_at, link, ...user }) => ({
      ...user,
      link: link ? { kind: link.kind, expires_at: timestamp(link.expires_at) } : null,
      created_at: timestamp(created_at),
    }))
    await show(format, data, () =>
      printTable(
        ['NAME', 'ROLES', 'STATE', 'PASSKEYS', 'LINK UNTIL', 'CREATED'],
        users.map(({ name, roles, state, passkeys, link, created_at }) => [
          name,
          roles.join(','),
          state,
          String(passkeys),
          link ? readable(link.expires_at) : '-',
          readable(created_at),
        ]),
      ),
    )
    return 'ok'
  },
})
