import { type Document, parseDocument } from '../../core/access/document.ts'
import { type LockDocument, targetInWords } from '../../core/access/lock.ts'
import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { Problem } from '../problem.ts'
import { formatOf, printTable, show } from '../term.ts'
import { readableUntil } from '../times.ts'

export default command({
  doing: 'list the locks',
  help: `Usage: sallyport admin locks ls [--format=text|json|yaml]

What is locked, until when, what whoever is kept out is told, and who made the lock. One that is
over locks nothing.

Examples:
  sallyport admin locks ls
  sallyport admin locks ls --format=json
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const session = await openSession(values.profile)
    const { documents } = await call(session, operations.documentsList, { query: { kind: 'lock', name: undefined } })
    const locks = documents.map(({ document, by }) => ({ ...requireLock(parseDocument(document)), by }))
    await show(format, locks.map(asData), () =>
      printTable(['NAME', 'LOCKED', 'UNTIL', 'BY', 'MESSAGE'], locks.map(asRow)),
    )
    return 'ok'
  },
})

function requireLock(parsed: ReturnType<typeof parseDocument>): LockDocument {
  const document: Document | undefined = parsed.kind === 'value' ? parsed.value : undefined
  if (document?.kind === 'lock') return document
  throw new Problem('failed', 'the edge holds a lock that this sallyport cannot read', 'use one of the edge’s version')
}

type Listed = LockDocument & { readonly by: string | undefined }

const asData = ({ metadata: { name }, spec: { target, message, expires }, by }: Listed) => ({
  name,
  target: { ...target },
  ...(expires === undefined ? {} : { expires }),
  ...(message === undefined ? {} : { message }),
  by: by ?? null,
})

const asRow = ({ metadata: { name }, spec: { target, message, expires }, by }: Listed) => [
  name,
  targetInWords(target),
  expires === undefined ? 'for ever' : readableUntil(Date.parse(expires) / 1000, Date.now() / 1000),
  by ?? '-',
  message ?? '',
]
