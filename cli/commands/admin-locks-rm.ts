import { command } from '../command.ts'
import { removeDocument } from '../remove-document.ts'

export default command({
  doing: 'remove the lock',
  help: `Usage: sallyport admin locks rm NAME [--yes]

Lets in again what the lock kept out. Wants a login that is at most five minutes old. On a
terminal it asks before.

Options:
  --yes  do not ask

Examples:
  sallyport admin locks rm alice-left
`,
  options: { yes: { type: 'boolean' } },
  takes: [1, 1],
  run: async (values, [name = '']) => {
    await removeDocument({
      profile: values.profile,
      kind: 'lock',
      name,
      isConfirmed: values.yes ?? false,
      isForced: false,
    })
    return 'ok'
  },
})
