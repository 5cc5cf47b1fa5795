import { formatDuration } from '../../core/access/duration.ts'
import { type ListCondition, membersOfPrincipal } from '../../core/access/resource.ts'
import type { AnswerOf } from '../../core/api/operation.ts'
import { operations } from '../../core/api/operations.ts'
import type { Json } from '../../core/intent.ts'
import { call, openSession, type Session } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { principalOptions } from '../principal.ts'
import { Problem } from '../problem.ts'
import { type Format, formatOf, print, printFields, show } from '../term.ts'
import { type AskedResource, parseTarget, principalOf } from '../why-target.ts'

type Why = AnswerOf<typeof operations.why>
type Event = AnswerOf<typeof operations.eventsReplay>['events'][number]

export default command({
  doing: 'say why',
  help: `Usage: sallyport why KIND:NAME [--login=LOGIN | --db-user=USER --db-name=NAME | --kube-user=USER]
                     [--user=NAME] [--format=text|json|yaml]
       sallyport why --event=ID [--format=text|json|yaml]

Whether you may open a session, which rules of which roles say so, under which constraints, and
what would help. Nothing is opened and nothing is written. Kinds are node, db, kube, app and
desktop. Without the flags it says as whom your roles reach the resource.

Of an event it says what was decided at that time: by its number, which "sallyport admin audit ls"
shows, or by the id of the request, which every refusal shows. Who may not read the log sees what
was decided on his own sessions.

Options:
  --login=LOGIN        the account on a host or desktop
  --db-user=USER       the user of the database
  --db-name=NAME       the database
  --kube-user=USER     the user of the Kubernetes cluster
  --kube-group=GROUP   a group there; may be given several times
  --user=NAME          ask about somebody else, in the words that this person is told: for who may
                       read users and roles. Locks on what that person signs in with are not
                       asked about, and locks on proxies never
  --event=ID           ask about something that happened

Examples:
  sallyport why db:orders
  sallyport why db:orders --db-user=reader --db-name=app
  sallyport why db:orders --db-user=reader --db-name=app --user=alice --format=json
  sallyport why --event=1204
`,
  options: { ...principalOptions, user: { type: 'string' }, event: { type: 'string' }, ...formatOption },
  takes: [0, 1],
  run: async ({ user, event, ...values }, [target]) => {
    const format = formatOf(values.format)
    if (event !== undefined) {
      if (target !== undefined || user !== undefined)
        throw new Problem('usage', 'an event stands alone', 'sallyport why --event=ID')
      await showEvents(format, await openSession(values.profile), event)
      return 'ok'
    }
    if (target === undefined) throw new Problem('usage', 'nothing is asked about', 'sallyport why db:NAME')
    const resource = parseTarget(target)
    const principal = principalOf(resource.kind, values)
    const session = await openSession(values.profile)
    const why = await call(session, operations.why, { body: { resource, principal, user } })
    await show(format, withoutGaps({ resource, principal, ...why }), () => printWhy(resource, why))
    return 'ok'
  },
})

/** JSON has no undefined: members that are missing are left out, at any depth. */
const withoutGaps = (data: unknown): Json => JSON.parse(JSON.stringify(data)) as Json

const outcomes = { allow: 'allowed', refuse: 'refused', reach: 'reached' } as const

function printWhy({ kind, name }: AskedResource, why: Why): void {
  const { user, outcome, because, told, rules, remedies, constraints, reach = [] } = why
  const label =
    outcome === 'reach' && !reach.some(({ effect }) => effect === 'allow') ? 'not reached' : outcomes[outcome]
  printFields([
    [kind, name],
    ['user', user],
    ['answer', because === undefined ? label : `${label}: ${because.replaceAll('_', ' ')}`],
    ['told', told],
    ...rules.map((rule) => ['rule', rule] as const),
    ...reach.map((one) => [one.effect, reachInWords(kind, one)] as const),
    ...(constraints ? [['session', constraintsInWords(constraints)] as const] : []),
  ])
  for (const { told: what, command: typed } of remedies) {
    print(what)
    if (typed !== undefined) print(`  ${typed}`)
  }
}

function reachInWords(kind: AskedResource['kind'], { role, lists }: NonNullable<Why['reach']>[number]): string {
  const flags = membersOfPrincipal(kind).flatMap(({ list, flag }) => {
    const values = lists[list satisfies ListCondition]
    return values === undefined ? [] : [`--${flag}=${values.join('|')}`]
  })
  return `${role}: ${flags.length === 0 ? 'all of it' : flags.join(' ')}`
}

function constraintsInWords(of: NonNullable<Why['constraints']>): string {
  const duration = (seconds: number) => formatDuration(seconds * 1000)
  const limits = [
    of.tap ? 'a tap of its own' : 'no tap',
    `${duration(of.max_ttl)} at most`,
    of.client_idle_timeout !== undefined && `ends after ${duration(of.client_idle_timeout)} of silence`,
    of.pin_source_ip && 'from one address only',
    of.disconnect_expired_cert && 'ends with the login',
    of.max_connections !== undefined && `${of.max_connections} sessions at once`,
    of.max_sessions !== undefined && `${of.max_sessions} at once on it`,
    of.strict_locks && 'only while locks are known to be the newest',
    of.networks !== undefined && networksInWords(of.networks),
  ]
  return limits.filter((one) => one !== false).join(', ')
}

/** Where the address that is dialled may lie. */
function networksInWords({
  allowed,
  denied,
}: {
  readonly allowed: readonly string[]
  readonly denied: readonly string[]
}) {
  const [where, not] = [allowed, denied].map((all) =>
    all.map((one) => (one === 'public' ? 'public addresses' : one)).join(' and '),
  )
  return denied.length === 0 ? `at ${where}` : `at ${where}, but not at ${not}`
}

async function showEvents(format: Format, session: Session, id: string): Promise<void> {
  if (!/^[\w-]{1,64}$/.test(id))
    throw new Problem('usage', `${id} is no id`, 'sallyport admin audit ls shows them as SEQ')
  const { events } = await call(session, operations.eventsReplay, { parameters: { id } })
  await show(format, withoutGaps(events), () => {
    for (const [at, event] of events.entries()) {
      if (at > 0) print('')
      printFields(eventFields(event))
    }
  })
}

function eventFields(event: Event): (readonly [label: string, value: string])[] {
  const { seq, at, request_id: request, kind, outcome, code, user, resource, because, told, rules } = event
  return [
    ['event', `${seq} (request ${request})`],
    ['at', at],
    ['what', resource === undefined ? kind : `${kind} of ${resource}`],
    ...(user === undefined ? [] : [['user', user] as const]),
    ['answer', code === undefined ? outcome : `${outcome}: ${code}`],
    ...(because === undefined ? [] : [['because', because.replaceAll('_', ' ')] as const]),
    ...rules.map((rule) => ['rule', rule] as const),
    ...(told === undefined ? [] : [['told', told] as const]),
  ]
}
