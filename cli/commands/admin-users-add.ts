import { operations } from '../../core/api/operations.ts'
import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command, formatOption } from '../command.ts'
import { makeKey } from '../oauth.ts'
import { showLink, ttlOf } from '../one-time-link.ts'
import { Problem } from '../problem.ts'
import { callApproved } from '../tap.ts'
import { formatOf, say } from '../term.ts'
import { readable } from '../times.ts'

export default command({
  doing: 'add the user',
  help: `Usage: sallyport admin users add NAME --roles=ROLE,ROLE [--ttl=4h] [options]

Invites somebody. You approve name and roles with a tap in the browser; then the link for
the person stands on stdout. It works once. Who has it becomes that user: give it to nobody
else. For somebody whose link expired: sallyport admin users reset NAME

Options:
  --roles=ROLE,...   what the user may do
  --ttl=DURATION     how long the link works, such as 30m or 4h: 1h where not given, 48h at most
  --no-browser       do not open a browser, only show the address of the page

Examples:
  sallyport admin users add alice --roles=access
  sallyport admin users add bob --roles=access,editor --ttl=24h
`,
  options: { roles: { type: 'string' }, ttl: { type: 'string' }, ...browserOption, ...formatOption },
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const format = formatOf(values.format)
    const roles = rolesOf(values.roles)
    const ttl = ttlOf(values.ttl ?? '1h')
    const session = await openSession(values.profile)
    const { d, ...invite_key } = await makeKey()
    const body = { name, roles, invite_key, ttl }
    const toDo = `approve ${name} with ${roles.join(', ')}`
    const approval = { toDo, opensBrowser: !values['no-browser'] }
    const added = await callApproved(session, operations.userAdd, { body }, approval)
    const until = readable(added.expires_at)
    say(`${name} is invited. This link works once, until ${until}. Give it to ${name} and to nobody else:`)
    await showLink(format, added, d, { roles })
    return 'ok'
  },
})

function rolesOf(text: string | undefined): string[] {
  const roles = (text ?? '').split(',').flatMap((role) => role.trim() || [])
  if (roles.length > 0) return roles
  throw new Problem('usage', 'no role is given', 'sallyport admin users add NAME --roles=ROLE,ROLE')
}
