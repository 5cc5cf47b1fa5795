import { membersOfPrincipal } from '../../core/access/resource.ts'
import { openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { impersonateOption } from '../principal.ts'
import { labelsInWords, type Resource, resourcesOf } from '../resource.ts'
import { formatOf, printTable, say, show } from '../term.ts'

export default command({
  doing: 'list what you reach',
  help: `Usage: sallyport ls [--impersonate=USER] [--format=text|json|yaml]

All that your roles reach: hosts, databases, Kubernetes clusters, apps and desktops; as whom, and
whether each session wants a tap. A star is any. "sallyport proxy tcp KIND/NAME" opens one,
"sallyport db connect NAME" a database.

Options:
  --impersonate=USER  what this user reaches, where a role of yours lets you act as him

Examples:
  sallyport ls
  sallyport ls --format=json
`,
  options: { ...impersonateOption, ...formatOption },
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const resources = await resourcesOf(await openSession(values.profile), values.impersonate)
    await show(format, resources.map(asData), () => printTable(columns, resources.map(asRow)))
    if (resources.length === 0)
      say(values.impersonate === undefined ? 'Your roles reach none.' : 'Those roles reach none.')
    return 'ok'
  },
})

/** Only what its kind has. */
const allowedOf = ({ kind, allowed }: Resource) =>
  membersOfPrincipal(kind).map(({ flag, list }) => ({ flag, list, values: allowed[list] ?? [] }))

/** Members that are missing are left out: JSON has no undefined. */
const asData = ({ description, protocol, ...resource }: Resource) => ({
  ...resource,
  allowed: Object.fromEntries(
    allowedOf({ ...resource, description, protocol }).map(({ list, values }) => [list, values]),
  ),
  ...(protocol === undefined ? {} : { protocol }),
  ...(description === undefined ? {} : { description }),
})

const columns = ['NAME', 'KIND', 'AS', 'TAP', 'LABELS', 'DESCRIPTION']
const asRow = (resource: Resource) => [
  resource.name,
  resource.kind,
  allowedOf(resource)
    .filter(({ values }) => values.length > 0)
    .map(({ flag, values }) => `${flag}=${values.join(',')}`)
    .join(' '),
  resource.tap ? 'each session' : 'no',
  labelsInWords(resource),
  resource.description ?? '',
]
