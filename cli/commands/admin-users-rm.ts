import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command } from '../command.ts'
import { Problem } from '../problem.ts'
import { confirmed, say } from '../term.ts'

export default command({
  doing: 'remove the user',
  help: `Usage: sallyport admin users rm NAME [--yes]

Removes a user with passkeys, passwords, codes, sessions and invite. Wants a login that is at
most five minutes old. On a terminal it asks before.

Options:
  --yes  do not ask

Examples:
  sallyport admin users rm alice
`,
  options: { yes: { type: 'boolean' } },
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const session = await openSession(values.profile)
    if (!values.yes && !(await confirmed(`Remove ${name} with all passkeys and sessions?`))) {
      throw new Problem('failed', 'it was not confirmed, nothing was changed', 'answer y, or call it with --yes')
    }
    const removed = await call(session, operations.userRemove, { parameters: { name } })
    say(`${removed.name} is removed.`)
    return 'ok'
  },
})
