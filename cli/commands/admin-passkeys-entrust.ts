import { operations } from '../../core/api/operations.ts'
import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { callApproved } from '../tap.ts'
import { say } from '../term.ts'

export default command({
  doing: 'entrust the passkey',
  help: `Usage: sallyport admin passkeys entrust USER PASSKEY [--no-browser]

Somebody who was invited has a passkey that opens sessions and approves nothing. This lets it
approve what administrators do (the role editor is needed besides), and admit others. You approve
it with a tap of a passkey of yours that may do so already. "sallyport admin passkeys ls USER"
shows the names.

Options:
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport admin passkeys entrust bob "Security key"
`,
  options: browserOption,
  takes: [2, 2],
  run: async (values, [name = '', passkey = '']) => {
    const session = await openSession(values.profile)
    const approval = {
      toDo: `approve that the passkey "${passkey}" of ${name} approves`,
      opensBrowser: !values['no-browser'],
    }
    const given = { parameters: { name }, body: { passkey } }
    const done = await callApproved(session, operations.passkeyEntrust, given, approval)
    say(`The passkey "${done.passkey}" of ${done.user} may approve administrative actions from now on.`)
    return 'ok'
  },
})
