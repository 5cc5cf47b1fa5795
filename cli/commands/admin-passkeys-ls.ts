import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { formatOf, printTable, say, show } from '../term.ts'
import { timestamp } from '../times.ts'

export default command({
  doing: 'list the passkeys',
  help: `Usage: sallyport admin passkeys ls USER [--format=text|json|yaml]

The passkeys of a user, and which of them may approve what administrators do.

Examples:
  sallyport admin passkeys ls bob
`,
  options: formatOption,
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const format = formatOf(values.format)
    const session = await openSession(values.profile)
    const { passkeys } = await call(session, operations.passkeysList, { parameters: { name } })
    const listed = passkeys.map(({ name, make = '', synced, may_vouch, fingerprint, created_at }) => ({
      ...{ name, make, synced, may_vouch, fingerprint, created_at: timestamp(created_at) },
    }))
    await show(format, listed, () =>
      printTable(
        ['NAME', 'APPROVES', 'MADE BY', 'SINCE', 'FINGERPRINT'],
        listed.map(({ name, may_vouch, make, created_at, fingerprint }) => [
          name,
          may_vouch ? 'yes' : 'no',
          make,
          created_at,
          fingerprint,
        ]),
      ),
    )
    if (listed.length === 0) say(`${name} has none.`)
    return 'ok'
  },
})
