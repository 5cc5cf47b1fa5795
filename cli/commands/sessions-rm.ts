import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command } from '../command.ts'
import { say } from '../term.ts'

export default command({
  doing: 'end the session',
  help: `Usage: sallyport sessions rm ID

Ends one of your sessions: of a browser or of a program at once, on a resource as soon as its
proxy hears of it, within seconds. "sallyport sessions ls" shows their ids. To sign this command
out: sallyport logout.

An ID that begins with a dash is written after two: -- -ID

Examples:
  sallyport sessions rm vG0nq3mJc1yq7c0Z0b5cIw
`,
  options: {},
  takes: [1, 1],
  run: async (values, [id = '']) => {
    const session = await openSession(values.profile)
    const { sessions } = await call(session, operations.ownOpenSessions, {})
    if (sessions.some((one) => one.id === id)) {
      const { resource } = await call(session, operations.ownOpenSessionEnd, { parameters: { id } })
      say(`The session on ${resource.name} ends.`)
      return 'ok'
    }
    const ended = await call(session, operations.ownLoginEnd, { parameters: { id } })
    say(`The session of ${ended.client} is ended.`)
    return 'ok'
  },
})
