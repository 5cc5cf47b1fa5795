import { command } from '../command.ts'
import { requireOne } from '../document-name.ts'
import { removeDocument } from '../remove-document.ts'

export default command({
  doing: 'remove the document',
  help: `Usage: sallyport admin rm KIND/NAME [--yes] [--force]

Removes a role, a database or a lock; "cap" sets how people log in back to the defaults. Wants a
login that is at most five minutes old. On a terminal it asks before.

Options:
  --yes    do not ask
  --force  let passkeys stop working with the default rp_id, and people be shut out who have
           no passkey

Examples:
  sallyport admin rm role/dev
  sallyport admin rm lock/alice-left --yes
`,
  options: { yes: { type: 'boolean' }, force: { type: 'boolean' } },
  takes: [1, 1],
  run: async (values, [given = '']) => {
    const isConfirmed = values.yes ?? false
    await removeDocument({
      profile: values.profile,
      ...requireOne(given),
      isConfirmed,
      isForced: values.force ?? false,
    })
    return 'ok'
  },
})
