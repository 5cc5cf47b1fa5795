import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command } from '../command.ts'
import { say } from '../term.ts'

export default command({
  doing: 'end the session',
  help: `Usage: sallyport admin sessions rm ID

Ends a session of anybody, of a browser or of a program, at once. "sallyport admin sessions ls"
shows their ids. Wants a login that is at most five minutes old. The user can sign in again: to
keep somebody out, use "sallyport admin locks add".

An ID that begins with a dash is written after two: -- -ID

Examples:
  sallyport admin sessions rm vG0nq3mJc1yq7c0Z0b5cIw
`,
  options: {},
  takes: [1, 1],
  run: async (values, [id = '']) => {
    const ended = await call(await openSession(values.profile), operations.loginEnd, { parameters: { id } })
    say(`The session of ${ended.user} (${ended.client}) is ended.`)
    return 'ok'
  },
})
