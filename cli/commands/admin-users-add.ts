import { parseDuration } from '../../core/access/duration.ts'
import { operations } from '../../core/api/operations.ts'
import { seconds } from '../../core/model.ts'
import { call, openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command, formatOption } from '../command.ts'
import { makeKey } from '../oauth.ts'
import { Problem } from '../problem.ts'
import { askForTap } from '../tap.ts'
import { formatOf, print, say, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'

export default command({
  doing: 'add the user',
  help: `Usage: sallyport admin users add NAME --roles=ROLE,ROLE [--ttl=4h] [options]

Invites somebody. You approve name and roles with a tap in the browser; then the link for
the person stands on stdout. It works once. Who has it becomes that user: give it to nobody
else.

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
    const ttl = ttlOf(values.ttl)
    const session = await openSession(values.profile)
    const { d, ...invite_key } = await makeKey()
    const body = { name, roles, invite_key, ttl }
    const toDo = `approve ${name} with ${roles.join(', ')}`
    const asked = { operation: 'userAdd', body, toDo, opensBrowser: !values['no-browser'] } as const
    const tap = await askForTap(session, asked)
    const { invite, expires_at, link } = await call(session, operations.userAdd, { body, tap })
    // The private half stands in the fragment: no server, proxy or log sees it there.
    const url = `${link}#${invite}.${d}`
    say(
      `${name} is invited. This link works once, until ${readable(expires_at)}. Give it to ${name} and to nobody else:`,
    )
    await show(format, { name, roles, link: url, expires_at: timestamp(expires_at) }, () => print(url))
    return 'ok'
  },
})

function rolesOf(text: string | undefined): string[] {
  const roles = (text ?? '').split(',').flatMap((role) => role.trim() || [])
  if (roles.length > 0) return roles
  throw new Problem('usage', 'no role is given', 'sallyport admin users add NAME --roles=ROLE,ROLE')
}

/** Said even where it is the usual one: what is approved then names it. */
function ttlOf(text: string | undefined): number {
  const duration = parseDuration(text ?? '1h')
  if (duration) return duration / seconds(1)
  throw new Problem('usage', `${text} is not a duration`, 'write it as 30m, 4h or 1h30m')
}
