import { operations } from '../../core/api/operations.ts'
import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { callApproved } from '../tap.ts'
import { say } from '../term.ts'

export default command({
  doing: 'remove the passkey',
  help: `Usage: sallyport mfa rm NAME [--no-browser]

Removes a passkey of yours. You approve it with a tap of another one in the browser: so you can
still sign in. Sessions that it opened end. "sallyport mfa ls" shows the names.

Options:
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport mfa rm "Old phone"
`,
  options: browserOption,
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const session = await openSession(values.profile)
    const body = { kind: 'passkey', name } as const
    const toDo = `approve that the passkey "${name}" is removed, with another one`
    const approval = { toDo, opensBrowser: !values['no-browser'] }
    await callApproved(session, operations.factorRemove, { body }, approval)
    say(`The passkey "${name}" is removed.`)
    return 'ok'
  },
})
