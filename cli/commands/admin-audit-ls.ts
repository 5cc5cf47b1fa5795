import type { AnswerOf } from '../../core/api/operation.ts'
import { operations } from '../../core/api/operations.ts'
import { call, openSession, type Session } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { Problem } from '../problem.ts'
import { formatOf, printTable, show } from '../term.ts'

type Event = AnswerOf<typeof operations.auditList>['events'][number]

export default command({
  doing: 'list the audit log',
  help: `Usage: sallyport admin audit ls [options] [--format=text|json|yaml]

What happened, newest first. "sallyport why --event=SEQ" says why it was decided so.

Options:
  --limit=N      at most N events: 50 where not given
  --since-seq=N  only events after the one with this number
  --user=NAME    only events of this user
  --kind=KIND    only events of this kind, such as login or user.add

Examples:
  sallyport admin audit ls --limit=20
  sallyport admin audit ls --user=alice --kind=login --format=json
`,
  options: {
    limit: { type: 'string' },
    'since-seq': { type: 'string' },
    user: { type: 'string' },
    kind: { type: 'string' },
    ...formatOption,
  },
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const limit = count('--limit', values.limit) ?? 50
    const after = count('--since-seq', values['since-seq']) ?? -1
    const session = await openSession(values.profile)
    const events = await eventsOf(session, { limit, after, user: values.user, kind: values.kind })
    await show(format, events.map(asData), () => printTable(columns, events.map(asRow)))
    return 'ok'
  },
})

function count(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new Problem('usage', `${flag} wants a whole number, not ${text}`, `${flag}=20`)
}

interface Wanted {
  readonly limit: number
  readonly after: number
  readonly user: string | undefined
  readonly kind: string | undefined
}

const mostAtOnce = 1000

/** Page by page, until there are enough or what follows is older. */
async function eventsOf(session: Session, { limit, after, user, kind }: Wanted): Promise<Event[]> {
  const found: Event[] = []
  let before: string | undefined
  do {
    const query = { before, limit: String(Math.min(limit - found.length, mostAtOnce)), user, kind }
    const { events, next } = await call(session, operations.auditList, { query })
    const newer = events.filter(({ seq }) => seq > after)
    found.push(...newer)
    before = next === undefined || newer.length < events.length ? undefined : String(next)
  } while (before !== undefined && found.length < limit)
  return found.slice(0, limit)
}

/** Members that are missing are left out: JSON has no undefined. */
const asData = ({ code, user, detail, ...event }: Event) => ({
  ...event,
  ...(code === undefined ? {} : { code }),
  ...(user === undefined ? {} : { user }),
  ...(detail === undefined ? {} : { detail }),
})

const columns = ['SEQ', 'AT', 'KIND', 'OUTCOME', 'USER', 'FROM']
const asRow = ({ seq, at, kind, outcome, code, user, address, place }: Event) => [
  String(seq),
  at,
  kind,
  code === undefined ? outcome : `${outcome}: ${code}`,
  user ?? '',
  place === '' ? address : `${address} (${place})`,
]
