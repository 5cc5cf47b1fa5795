import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { formatOf, printTable, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'

export default command({
  doing: 'list the users',
  help: `Usage: sallyport admin users ls [--format=text|json|yaml]

All users, and those who are invited.

Examples:
  sallyport admin users ls
  sallyport admin users ls --format=json
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const { users } = await call(await openSession(values.profile), operations.usersList, {})
    const data = users.map(({ created_at, ...user }) => ({ ...user, created_at: timestamp(created_at) }))
    await show(format, data, () =>
      printTable(
        ['NAME', 'ROLES', 'STATE', 'PASSKEYS', 'CREATED'],
        users.map(({ name, roles, state, passkeys, created_at }) => [
          name,
          roles.join(','),
          state,
          String(passkeys),
          readable(created_at),
        ]),
      ),
    )
    return 'ok'
  },
})
