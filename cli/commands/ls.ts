import { hostInWords } from '../../core/access/host-rule.ts'
import { membersOfPrincipal } from '../../core/access/resource.ts'
import { openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { impersonateOption } from '../principal.ts'
import { type HostsRule, hostsOf, labelsInWords, type Resource, resourcesOf } from '../resource.ts'
import { formatOf, printTable, say, show } from '../term.ts'

export default command({
  doing: 'list what you reach',
  help: `Usage: sallyport ls [--impersonate=USER] [--format=text|json|yaml]

All that your roles reach: hosts, databases, Kubernetes clusters, apps and desktops; as whom, and
whether each session wants a tap. A star is any. "sallyport proxy tcp KIND/NAME" opens one,
"sallyport db connect NAME" a database. The kind "host" is what roles name by host and port alone:
"sallyport proxy tcp HOST:PORT" opens one, and "sallyport why host:HOST:PORT" says whether.

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
    const session = await openSession(values.profile)
    const resources = await resourcesOf(session, values.impersonate)
    const hosts = await hostsOf(session, values.impersonate)
    await show(format, [...resources.map(asData), ...hosts.map(hostAsData)], () =>
      printTable(columns, [...resources.map(asRow), ...hosts.map(hostAsRow)]),
    )
    if (resources.length + hosts.length === 0)
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

const hostAsData = ({ name, ports, networks, role, tap }: HostsRule) => ({
  ...{ kind: 'host', name, ports: [...ports] },
  ...(networks && { networks: [...networks] }),
  ...{ role, tap },
})

const hostAsRow = ({ name, ports, networks, tap }: HostsRule) => [
  hostInWords({ name, ports }),
  'host',
  '',
  tap ? 'each session' : 'no',
  '',
  networks ? `at ${networks.join(', ')}` : '',
]
