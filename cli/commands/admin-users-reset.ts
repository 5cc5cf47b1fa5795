import { operations } from '../../core/api/operations.ts'
import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command, formatOption } from '../command.ts'
import { makeKey } from '../oauth.ts'
import { showLink, ttlOf } from '../one-time-link.ts'
import { callApproved } from '../tap.ts'
import { formatOf, say } from '../term.ts'
import { readable } from '../times.ts'

export default command({
  doing: 'reset the user',
  help: `Usage: sallyport admin users reset NAME [--ttl=8h] [options]

For somebody who lost all passkeys, whose keys may be in other hands, whose invitation expired,
or who was made by admin create. You approve it with a tap in the browser. All passkeys,
passwords, codes and sessions of the user are then removed at once, and older links too; roles
stay. The link by which the person makes a new passkey stands on stdout. It works once. Who has
it becomes that user: give it to nobody else. The new passkey lets nobody else in, whatever the
old ones did.

Options:
  --ttl=DURATION  how long the link works, such as 30m or 4h: 8h where not given, 24h at most
  --no-browser    do not open a browser, only show the address of the page

Examples:
  sallyport admin users reset alice
  sallyport admin users reset bob --ttl=24h
`,
  options: { ttl: { type: 'string' }, ...browserOption, ...formatOption },
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const format = formatOf(values.format)
    const ttl = ttlOf(values.ttl ?? '8h')
    const session = await openSession(values.profile)
    const { d, ...reset_key } = await makeKey()
    const body = { name, reset_key, ttl }
    const toDo = `approve the reset of ${name}`
    const approval = { toDo, opensBrowser: !values['no-browser'] }
    const done = await callApproved(session, operations.userReset, { body }, approval)
    say(`All passkeys, passwords, codes and sessions of ${name} are removed. The link for a new passkey works once,`)
    say(`until ${readable(done.expires_at)}. Give it to ${name} and to nobody else:`)
    await showLink(format, done, d)
    return 'ok'
  },
})
