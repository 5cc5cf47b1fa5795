import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { requireOne } from '../document-name.ts'
import { removeDocument } from '../remove-document.ts'

export default command({
  doing: 'remove the document',
  help: `Usage: sallyport admin rm KIND/NAME [--yes] [--force] [--no-browser]

Removes a role, a resource, a lock, or a user with all passkeys and sessions; "cap" sets how
people log in back to the defaults. You approve it with a tap in the browser; where the cluster
asks for none, your login must be at most five minutes old. On a terminal it asks before.

Options:
  --yes         do not ask
  --force       let passkeys stop working with the default rp_id, and people be shut out who
                have no passkey
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport admin rm role/dev
  sallyport admin rm lock/alice-left --yes
  sallyport admin rm user/alice
`,
  options: { yes: { type: 'boolean' }, force: { type: 'boolean' }, ...browserOption },
  takes: [1, 1],
  run: async (values, [given = '']) => {
    const isConfirmed = values.yes ?? false
    await removeDocument({
      profile: values.profile,
      ...requireOne(given),
      isConfirmed,
      isForced: values.force ?? false,
      opensBrowser: !values['no-browser'],
    })
    return 'ok'
  },
})
