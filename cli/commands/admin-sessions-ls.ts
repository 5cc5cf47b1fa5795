import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { showSessions } from '../login-table.ts'
import { formatOf } from '../term.ts'

export default command({
  doing: 'list the sessions',
  help: `Usage: sallyport admin sessions ls [--user=NAME] [--format=text|json|yaml]

Who is signed in where: browsers, and programs such as this command. Below them the sessions that
are open on databases, hosts and other resources.

VIA says how: of a browser what was shown (passkey, password+otp, ...), of a program how it was
let in (browser, or device_flow for a headless login).

Options:
  --user=NAME  only those of this user

Examples:
  sallyport admin sessions ls
  sallyport admin sessions ls --user=alice
`,
  options: { user: { type: 'string' }, ...formatOption },
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const session = await openSession(values.profile)
    const query = { user: values.user }
    const { logins } = await call(session, operations.loginsList, { query })
    const { sessions } = await call(session, operations.openSessionsList, { query })
    await showSessions(format, { logins, sessions }, true)
    return 'ok'
  },
})
