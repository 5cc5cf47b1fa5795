import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { callApproved } from '../tap.ts'
import { say } from '../term.ts'

export default command({
  doing: 'end the session',
  help: `Usage: sallyport admin sessions rm ID [--no-browser]

Ends a session of anybody: of a browser or of a program at once, on a resource as soon as its
proxy hears of it, within seconds. "sallyport admin sessions ls" shows their ids. You approve it
with a tap in the browser; where the cluster asks for none, your login must be at most five
minutes old. The user can sign in again: to keep somebody out, use "sallyport admin locks add".

Options:
  --no-browser  do not open a browser, only show the address of the page

An ID that begins with a dash is written after two: -- -ID

Examples:
  sallyport admin sessions rm vG0nq3mJc1yq7c0Z0b5cIw
`,
  options: browserOption,
  takes: [1, 1],
  run: async (values, [id = '']) => {
    const session = await openSession(values.profile)
    const { sessions } = await call(session, operations.openSessionsList, {})
    const given = { parameters: { id } }
    const asking = { toDo: 'approve that the session ends', opensBrowser: !values['no-browser'] }
    if (sessions.some((one) => one.id === id)) {
      const { user, resource } = await callApproved(session, operations.openSessionEnd, given, asking)
      say(`The session of ${user} on ${resource.name} ends.`)
      return 'ok'
    }
    const ended = await callApproved(session, operations.loginEnd, given, asking)
    say(`The session of ${ended.user} (${ended.client}) is ended.`)
    return 'ok'
  },
})
