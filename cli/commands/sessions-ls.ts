import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { showLogins } from '../login-table.ts'
import { formatOf } from '../term.ts'

export default command({
  doing: 'list the sessions',
  help: `Usage: sallyport sessions ls [--format=text|json|yaml]

Where you are signed in: browsers, and programs such as this command. A browser that asked
for nothing for an hour is signed out by itself.

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
    const { logins } = await call(await openSession(values.profile), operations.ownLogins, {})
    await showLogins(format, logins, false)
    return 'ok'
  },
})
