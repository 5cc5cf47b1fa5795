import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { removeDocument } from '../remove-document.ts'

export default command({
  doing: 'remove the lock',
  help: `Usage: sallyport admin locks rm NAME [--yes] [--no-browser]

Lets in again whom the lock kept out. You approve it with a tap in the browser; where the
cluster asks for none, your login must be at most five minutes old. On a terminal it asks before.

Options:
  --yes         do not ask
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport admin locks rm alice-left
`,
  options: { yes: { type: 'boolean' }, ...browserOption },
  takes: [1, 1],
  run: async (values, [name = '']) => {
    await removeDocument({
      profile: values.profile,
      kind: 'lock',
      name,
      isConfirmed: values.yes ?? false,
      isForced: false,
      opensBrowser: !values['no-browser'],
    })
    return 'ok'
  },
})
