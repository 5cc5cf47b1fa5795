import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { showSessions } from '../login-table.ts'
import { formatOf } from '../term.ts'

export default command({
  doing: 'list the sessions',
  help: `Usage: sallyport sessions ls [--format=text|json|yaml]

Where you are signed in: browsers, and programs such as this command. A browser that asked
for nothing for an hour is signed out by itself. Below them the sessions that you have open on
databases, hosts and other resources.

VIA says how: of a browser what was shown (passkey, password+otp, ...), of a program how it was
let in (browser, or device_flow for a headless login).

Examples:
  sallyport sessions ls
  sallyport sessions ls --format=json
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const session = await openSession(values.profile)
    const { logins } = await call(session, operations.ownLogins, {})
    const { sessions } = await call(session, operations.ownOpenSessions, {})
    await showSessions(format, { logins, sessions }, false)
    return 'ok'
  },
})
