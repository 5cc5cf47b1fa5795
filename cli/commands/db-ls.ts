import { openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { databasesOf, labelsInWords, type Resource } from '../resource.ts'
import { formatOf, printTable, say, show } from '../term.ts'

export default command({
  doing: 'list the databases',
  help: `Usage: sallyport db ls [--format=text|json|yaml]

The databases that your roles reach: as which users, in which databases of theirs, and whether
each session wants a tap. A star is any.

Examples:
  sallyport db ls
  sallyport db ls --format=json
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const databases = await databasesOf(await openSession(values.profile))
    await show(format, databases.map(asData), () => printTable(columns, databases.map(asRow)))
    if (databases.length === 0) say('Your roles reach none.')
    return 'ok'
  },
})

/** Members that are missing are left out: JSON has no undefined. */
const asData = ({ description, protocol = 'postgres', allowed, ...database }: Resource) => ({
  ...database,
  protocol,
  db_users: allowed.db_users ?? [],
  db_names: allowed.db_names ?? [],
  ...(description === undefined ? {} : { description }),
})

const columns = ['NAME', 'USERS', 'DATABASES', 'TAP', 'LABELS', 'DESCRIPTION']
const asRow = (resource: Resource) => {
  const {
    name,
    allowed: { db_users = [], db_names = [] },
    tap,
    description,
  } = resource
  return [
    name,
    db_users.join(','),
    db_names.join(','),
    tap ? 'each session' : 'no',
    labelsInWords(resource),
    description ?? '',
  ]
}
