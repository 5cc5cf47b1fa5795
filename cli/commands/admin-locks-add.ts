import { type Document, parseDocument } from '../../core/access/document.ts'
import { parseDuration } from '../../core/access/duration.ts'
import { nearest } from '../../core/access/place.ts'
import { operations } from '../../core/api/operations.ts'
import type { Json } from '../../core/intent.ts'
import { nameKey } from '../../core/login/name.ts'
import { call, openSession, type Session } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command, formatOption } from '../command.ts'
import { Problem } from '../problem.ts'
import { callApproved } from '../tap.ts'
import { formatOf, print, say, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'

export default command({
  doing: 'lock the user',
  help: `Usage: sallyport admin locks add --user=NAME [--ttl=1h] [--message=TEXT] [--name=LOCK]

Locks a user out: no login, no new session, and open sessions end within seconds. The name of
the lock stands on stdout. You approve it with a tap in the browser; where the cluster asks for
none, your login must be at most five minutes old.

Options:
  --user=NAME     whom
  --ttl=DURATION  for how long, such as 30m or 12h: for ever where not given
  --message=TEXT  what the user is told
  --name=LOCK     how the lock is called: a name is made up where not given
  --no-browser    do not open a browser, only show the address of the page

Examples:
  sallyport admin locks add --user=alice --ttl=1h --message='Call the office.'
  sallyport admin locks add --user=bob --name=bob-left
`,
  options: {
    user: { type: 'string' },
    ttl: { type: 'string' },
    message: { type: 'string' },
    name: { type: 'string' },
    ...browserOption,
    ...formatOption,
  },
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const user = requireUser(values.user)
    const expires = expiryOf(values.ttl)
    const lock = lockOf(values.name ?? nameFor(user), user, values.message, expires)
    const session = await openSession(values.profile)
    await requireExisting(session, user)
    const approval = { toDo: `approve that ${user} is locked`, opensBrowser: !values['no-browser'] }
    const body = { documents: [lock], force: false, replaces: undefined }
    await callApproved(session, operations.documentsPut, { body }, approval)
    const { name } = lock.metadata
    say(`${user} is locked ${expires === undefined ? 'for ever' : `until ${readable(expires)}`}.`)
    say(`To end it: sallyport admin locks rm ${name}`)
    await show(format, { name, user, ...(expires !== undefined && { expires: timestamp(expires) }) }, () => print(name))
    return 'ok'
  },
})

function requireUser(user: string | undefined): string {
  if (user !== undefined && user !== '') return user
  throw new Problem('usage', 'no user is given', 'sallyport admin locks add --user=NAME')
}

/** Seconds since 1970. */
function expiryOf(ttl: string | undefined): number | undefined {
  if (ttl === undefined) return undefined
  const duration = parseDuration(ttl)
  if (duration) return Math.ceil((Date.now() + duration) / 1000)
  throw new Problem('usage', `${ttl} is not a duration`, 'write it as 30m, 4h or 1h30m')
}

/** Names of users hold more than those of locks may. */
function nameFor(user: string): string {
  const begin =
    user
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'user'
  return `${begin}-${crypto.randomUUID().slice(0, 8)}`
}

function lockOf(name: string, user: string, message: string | undefined, expires: number | undefined): Document {
  const spec = {
    target: { user },
    ...(message !== undefined && { message }),
    ...(expires !== undefined && { expires: timestamp(expires) }),
  }
  const parsed = parseDocument({ kind: 'lock', version: 'v2', metadata: { name }, spec } as Json)
  if (parsed.kind === 'value') return parsed.value
  throw new Problem('usage', parsed.problems[0]?.message ?? 'something is wrong', 'sallyport admin locks add --help')
}

/** A lock on a name that is misspelt would lock nobody. */
async function requireExisting(session: Session, user: string): Promise<void> {
  const { users } = await call(session, operations.usersList, {})
  if (users.some(({ name }) => nameKey(name) === nameKey(user))) return
  const meant = nearest(
    user,
    users.map(({ name }) => name),
  )
  const hint = meant === undefined ? 'sallyport admin users ls' : `did you mean ${meant}?`
  throw new Problem('failed', `there is no user ${user}`, hint)
}
