import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command } from '../command.ts'
import { requireOne } from '../document-name.ts'
import { Problem } from '../problem.ts'
import { confirmed, say } from '../term.ts'

export default command({
  doing: 'remove the document',
  help: `Usage: sallyport admin rm KIND/NAME [--yes]

Removes a role, a database or a lock. Wants a login that is at most five minutes old. On a
terminal it asks before.

Options:
  --yes  do not ask

Examples:
  sallyport admin rm role/dev
  sallyport admin rm lock/alice-left --yes
`,
  options: { yes: { type: 'boolean' } },
  takes: [1, 1],
  run: async (values, [given = '']) => {
    const parameters = requireOne(given)
    const session = await openSession(values.profile)
    const { kind, name } = parameters
    if (!values.yes && !(await confirmed(`Remove the ${kind} ${name}?`))) {
      throw new Problem('failed', 'it was not confirmed, nothing was changed', 'answer y, or call it with --yes')
    }
    const removed = await call(session, operations.documentRemove, { parameters })
    say(`The ${removed.kind} ${removed.name} is removed.`)
    return 'ok'
  },
})
