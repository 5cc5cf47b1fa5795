import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { formatOf, printTable, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'

export default command({
  doing: 'list what users sign in with',
  help: `Usage: sallyport admin mfa ls [--user=NAME] [--format=text|json|yaml]

Passkeys and authenticator apps of all users, or of one, with the ids that locks name:
sallyport admin locks add --mfa-device=ID

Options:
  --user=NAME  only those of this user

Examples:
  sallyport admin mfa ls --user=alice
  sallyport admin mfa ls --format=json
`,
  options: { user: { type: 'string' }, ...formatOption },
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const session = await openSession(values.profile)
    const { factors } = await call(session, operations.factorsList, { query: { user: values.user } })
    const data = factors.map(({ make, created_at, last_used_at, ...factor }) => ({
      ...{ ...factor, make: make ?? null },
      created_at: timestamp(created_at),
      last_used_at: last_used_at === undefined ? null : timestamp(last_used_at),
    }))
    await show(format, data, () =>
      printTable(
        ['USER', 'NAME', 'KIND', 'MAKE', 'LAST USED', 'ID'],
        factors.map(({ id, user, name, kind, make, last_used_at }) => [
          ...[user, name, kind === 'totp' ? 'app' : kind, make ?? '-'],
          ...[last_used_at === undefined ? 'never' : readable(last_used_at), id],
        ]),
      ),
    )
    return 'ok'
  },
})
