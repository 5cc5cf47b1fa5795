import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { parseMeant } from '../document-name.ts'
import { mostInOne, printDocuments } from '../documents.ts'
import { requireDocument } from '../find-document.ts'
import { Problem } from '../problem.ts'
import { formatOf, printText, say } from '../term.ts'

export default command({
  doing: 'get documents',
  help: `Usage: sallyport admin get KIND[/NAME] [--format=yaml|json|text]

Users, roles, resources, locks and how people log in, as they stand: what is printed as YAML or
JSON can be given to "sallyport admin create". Kinds: user, role, node, db, kube_cluster, app,
windows_desktop, lock, cap (how people log in), or all of them with "all". Preset roles are part
of every cluster: they show as text, and where they are named. So does cap while nobody has
written one.

Examples:
  sallyport admin get all
  sallyport admin get cap
  sallyport admin get role/dev --format=json
  sallyport admin get user/alice
  sallyport admin get locks --format=text
`,
  options: formatOption,
  takes: [1, 1],
  run: async (values, [given = '']) => {
    const format = formatOf(values.format, 'yaml')
    const { kind, name } = parseMeant(given)
    const session = await openSession(values.profile)
    const { documents } = await call(session, operations.documentsList, { query: { kind, name } })
    if (name !== undefined && documents.length === 0) {
      throw new Problem('failed', `there is no ${kind} ${name}`, `sallyport admin get ${kind} lists them`)
    }
    const shown = documents.filter(({ preset }) => !preset || name !== undefined || format === 'text')
    printText(printDocuments(shown.map(requireDocument), format))
    if (shown.length === 0) say('There is none.')
    if (shown.length > mostInOne && format !== 'text') say(tooMany(shown.length))
    return 'ok'
  },
})

const tooMany = (count: number): string =>
  `These are ${count} documents, and "sallyport admin create" takes ${mostInOne} at a time: get them kind by kind, or cut what is printed.`
