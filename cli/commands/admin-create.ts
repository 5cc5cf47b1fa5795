import { readFileSync } from 'node:fs'
import process from 'node:process'
import { text as textOf } from 'node:stream/consumers'
import type { Document } from '../../core/access/document.ts'
import { command, formatOption } from '../command.ts'
import { type DocumentRead, readDocuments, showProblem } from '../documents.ts'
import { sayTaken } from '../lost.ts'
import { Problem } from '../problem.ts'
import { formatOf, print, printTable, say, show } from '../term.ts'

export default command({
  doing: 'create documents',
  help: `Usage: sallyport admin create [-f] FILE|- [--force] [--dry-run]

Creates the roles, databases, locks and the cluster_auth_preference in FILE (YAML or JSON; - is
standard input), all of them or none. Certificates may be named by paths, which count from FILE.
Wants a login that is at most five minutes old.

Options:
  -f, --file=FILE  the same as FILE
  --force          replace those that exist; let passkeys stop working with a new rp_id, and
                   people be shut out who have nothing else that is taken
  --dry-run        only read FILE, offline and without a login: exit 0, or 1 and a line
                   FILE:LINE: field: what is wrong, for each problem

Examples:
  sallyport admin create roles.yaml
  sallyport admin get all | sallyport admin create --force -
`,
  options: {
    file: { type: 'string', short: 'f' },
    force: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    ...formatOption,
  },
  takes: [0, 1],
  run: async (values, given) => {
    const format = formatOf(values.format)
    const file = requireFile([...(values.file === undefined ? [] : [values.file]), ...given])
    const isDry = values['dry-run'] ?? false
    const read = requireRight(file, await contentOf(file), isDry ? print : say)
    if (isDry) {
      say(`${file}: ${read.length} ${read.length === 1 ? 'document' : 'documents'}, nothing is wrong.`)
      return 'ok'
    }
    const documents = read.map(({ document }) => document)
    const outcomes = await put(values.profile, documents, values.force ?? false)
    await show(format, outcomes, () =>
      printTable(
        ['KIND', 'NAME', 'OUTCOME'],
        outcomes.map(({ kind, name, outcome }) => [kind, name, outcome]),
      ),
    )
    return 'ok'
  },
})

function requireFile(given: readonly string[]): string {
  const [file] = given
  if (file !== undefined && given.length === 1) return file
  const what = file === undefined ? 'no file is given' : 'two files are given'
  throw new Problem('usage', what, 'sallyport admin create FILE, or - for standard input')
}

async function contentOf(file: string): Promise<string> {
  try {
    return file === '-' ? await textOf(process.stdin) : readFileSync(file, 'utf8')
  } catch (cause) {
    const why = `${file} cannot be read (${(cause as { code?: string }).code})`
    throw new Problem('failed', why, 'check the name of the file', { cause })
  }
}

function requireRight(file: string, content: string, tell: (line: string) => void): readonly DocumentRead[] {
  const read = readDocuments(file === '-' ? 'stdin' : file, content)
  if ('documents' in read) return read.documents
  for (const problem of read.problems) tell(showProblem(problem))
  const count = read.problems.length
  throw new Problem(
    'failed',
    `${file} has ${count} ${count === 1 ? 'problem' : 'problems'}`,
    'mend the lines named above',
  )
}

/** Loaded only here: a dry run needs no edge. */
async function put(profile: string | undefined, documents: readonly Document[], force: boolean) {
  const [{ call, openSession }, { operations }] = await Promise.all([
    import('../api.ts'),
    import('../../core/api/operations.ts'),
  ])
  const session = await openSession(profile)
  const answer = await call(session, operations.documentsPut, {
    body: { documents, force, replaces: undefined },
  })
  sayTaken(answer)
  return answer.documents.map((document) => ({ ...document }))
}
