import { command } from '../command.ts'
import { requireOne } from '../document-name.ts'
import { removeDocument } from '../remove-document.ts'

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
    const { kind, name } = requireOne(given)
    await removeDocument({ profile: values.profile, kind, name, isConfirmed: values.yes ?? false })
    return 'ok'
  },
})
