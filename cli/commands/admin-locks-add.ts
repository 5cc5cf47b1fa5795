import { type Document, parseDocument } from '../../core/access/document.ts'
import { parseDuration } from '../../core/access/duration.ts'
import { targetInWords } from '../../core/access/lock.ts'
import { operations } from '../../core/api/operations.ts'
import type { Json } from '../../core/intent.ts'
import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command, formatOption } from '../command.ts'
import { type GivenTarget, requireExisting, requireTarget, targetOptions } from '../lock-target.ts'
import { Problem } from '../problem.ts'
import { callApproved } from '../tap.ts'
import { formatOf, print, say, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'

export default command({
  doing: 'make the lock',
  help: `Usage: sallyport admin locks add --user=NAME [--ttl=1h] [--message=TEXT] [--name=LOCK]

Locks one thing: nothing that it names gets in. The edge refuses at once, and open sessions end
within seconds. The name of the lock stands on stdout. You approve it with a tap in the browser;
where the cluster asks for none, your login must be at most five minutes old. Nobody can lock
himself out: another administrator can.

What (one of these):
  --user=NAME             a person
  --role=NAME             all who hold the role
  --mfa-device=ID         a passkey or an authenticator app, and the logins that it made; its id
                          stands in "sallyport admin mfa ls"
  --login=NAME            an account on hosts and desktops
  --node=NAME, --db=NAME, --kube-cluster=NAME, --app=NAME, --windows-desktop=NAME
                          a resource
  --host=HOST:PORT        a host that is no resource, as it is asked for: of its other names and its
                          addresses nothing is locked, which hosts in the deny of a role do
  --proxy=NAME            a proxy, by its name or its id
  --device=ID, --agent=ID a machine, an agent: this version enrolls none yet

Options:
  --ttl=DURATION     for how long, such as 30m or 12h: for ever where not given
  --expires=INSTANT  until when, such as 2030-01-31T12:00:00Z
  --message=TEXT     what whoever is kept out is told
  --name=LOCK        how the lock is called: a name is made up where not given
  --no-browser       do not open a browser, only show the address of the page

Examples:
  sallyport admin locks add --user=alice --ttl=1h --message='Call the office.'
  sallyport admin locks add --role=contractor --expires=2030-01-31T12:00:00Z
  sallyport admin locks add --db=orders --name=orders-migration
`,
  options: {
    ...targetOptions,
    ttl: { type: 'string' },
    expires: { type: 'string' },
    message: { type: 'string' },
    name: { type: 'string' },
    ...browserOption,
    ...formatOption,
  },
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const given = requireTarget(values)
    const end = endOf(values.ttl, values.expires)
    const name = values.name ?? nameFor(given)
    // Before anything is asked of the edge: what is misspelt is told at once.
    lockOf(name, given, values.message, end)
    const session = await openSession(values.profile)
    const target = { ...given, name: await requireExisting(session, given) }
    const lock = lockOf(name, target, values.message, end)
    const toDo = `approve that ${inWords(given)} is locked`
    const body = { documents: [lock], force: false, replaces: undefined }
    await callApproved(session, operations.documentsPut, { body }, { toDo, opensBrowser: !values['no-browser'] })
    const { expires } = lock.spec
    sayLocked(given, name, expires)
    await show(format, { name, target: { ...lock.spec.target }, ...(expires !== undefined && { expires }) }, () =>
      print(name),
    )
    return 'ok'
  },
})

const inWords = ({ kind, name }: GivenTarget): string => (kind === 'user' ? name : targetInWords({ [kind]: name }))

function sayLocked({ kind, name: what }: GivenTarget, name: string, expires: string | undefined): void {
  say(
    `${inWords({ kind, name: what })} is locked ${expires === undefined ? 'for ever' : `until ${readable(Date.parse(expires) / 1000)}`}.`,
  )
  if (kind === 'device' || kind === 'agent') say(`No ${kind} is enrolled yet: the lock holds from when there is one.`)
  say(`To end it: sallyport admin locks rm ${name}`)
}

/** RFC 3339. @throws Problem usage */
function endOf(ttl: string | undefined, expires: string | undefined): string | undefined {
  if (ttl !== undefined && expires !== undefined)
    throw new Problem('usage', '--ttl and --expires are given', 'say one of them')
  if (expires !== undefined && Date.parse(expires) <= Date.now())
    throw new Problem('usage', `${expires} is over`, 'a lock ends later than now')
  if (ttl === undefined) return expires
  const duration = parseDuration(ttl)
  if (duration) return timestamp(Math.ceil((Date.now() + duration) / 1000))
  throw new Problem('usage', `${ttl} is not a duration`, 'write it as 30m, 4h or 1h30m')
}

/** Names of users and ids hold more than those of locks may. */
function nameFor({ kind, name }: GivenTarget): string {
  const begin = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  return `${begin.slice(0, 32) || kind.replace('_', '-')}-${crypto.randomUUID().slice(0, 8)}`
}

/** @throws Problem usage */
function lockOf(name: string, target: GivenTarget, message: string | undefined, expires: string | undefined) {
  const spec = {
    target: { [target.kind]: target.name },
    ...(message !== undefined && { message }),
    ...(expires !== undefined && { expires }),
  }
  const parsed = parseDocument({ kind: 'lock', version: 'v2', metadata: { name }, spec } as Json)
  const document: Document | undefined = parsed.kind === 'value' ? parsed.value : undefined
  if (document?.kind === 'lock') return document
  const problem = parsed.kind === 'value' ? undefined : parsed.problems[0]
  throw new Problem('usage', problem?.message ?? 'something is wrong', 'sallyport admin locks add --help')
}
