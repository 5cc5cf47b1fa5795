import { operations } from '../../core/api/operations.ts'
import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { Problem } from '../problem.ts'
import { callApproved } from '../tap.ts'
import { confirmed, say } from '../term.ts'

export default command({
  doing: 'remove the user',
  help: `Usage: sallyport admin users rm NAME [--yes] [--no-browser]

Removes a user with passkeys, passwords, codes, sessions and invite. You approve it with a tap
in the browser; where the cluster asks for none, your login must be at most five minutes old.
On a terminal it asks before.

Options:
  --yes         do not ask
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport admin users rm alice
`,
  options: { yes: { type: 'boolean' }, ...browserOption },
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const session = await openSession(values.profile)
    if (!values.yes && !(await confirmed(`Remove ${name} with all passkeys and sessions?`))) {
      throw new Problem('failed', 'it was not confirmed, nothing was changed', 'answer y, or call it with --yes')
    }
    const removed = await callApproved(
      session,
      operations.userRemove,
      { parameters: { name } },
      {
        toDo: `approve that ${name} is removed`,
        opensBrowser: !values['no-browser'],
      },
    )
    say(`${removed.name} is removed.`)
    return 'ok'
  },
})
