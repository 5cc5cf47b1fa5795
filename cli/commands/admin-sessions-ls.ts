import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { showLogins } from '../login-table.ts'
import { formatOf } from '../term.ts'

export default command({
  doing: 'list the sessions',
  help: `Usage: sallyport admin sessions ls [--user=NAME] [--format=text|json|yaml]

Who is signed in where: browsers, and programs such as this command.

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
    const { logins } = await call(await openSession(values.profile), operations.loginsList, {
      query: { user: values.user },
    })
    await showLogins(format, logins, true)
    return 'ok'
  },
})
