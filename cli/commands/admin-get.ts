import { type Document, parseDocument } from '../../core/access/document.ts'
import { presets } from '../../core/access/presets.ts'
import type { AnswerOf } from '../../core/api/operation.ts'
import { operations } from '../../core/api/operations.ts'
import type { Json } from '../../core/intent.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { parseMeant } from '../document-name.ts'
import { printDocuments } from '../documents.ts'
import { Problem } from '../problem.ts'
import { formatOf, printText, say } from '../term.ts'

export default command({
  doing: 'get documents',
  help: `Usage: sallyport admin get KIND[/NAME] [--format=yaml|json|text]

Roles, databases and locks as they stand: what is printed as YAML or JSON can be given to
"sallyport admin create". Kinds: role, db, lock, or all of them with "all". Preset roles are
part of every cluster: they show as text, and where they are named.

Examples:
  sallyport admin get all
  sallyport admin get role/dev --format=json
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
    return 'ok'
  },
})

type Shown = AnswerOf<typeof operations.documentsList>['documents'][number]

/** What this sallyport cannot read it would not print in full. Presets do not parse, because nobody may write one. */
function requireDocument({ document, preset }: Shown): Document {
  const builtIn = preset && presets.find(({ metadata }) => metadata.name === nameIn(document))
  if (builtIn) return builtIn
  const parsed = parseDocument(document)
  if (parsed.kind === 'value') return parsed.value
  const [first] = parsed.problems
  const why = `the edge holds a document that this sallyport cannot read (${first?.message})`
  throw new Problem('failed', why, 'use a sallyport of the version of the edge')
}

const nameIn = (document: Json): unknown => (document as { metadata?: { name?: unknown } } | null)?.metadata?.name
