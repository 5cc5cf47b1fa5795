import { readFileSync } from 'node:fs'
import process from 'node:process'
import { text as textOf } from 'node:stream/consumers'
import type { Document } from '../../core/access/document.ts'
import { browserOption } from '../browser.ts'
import { command, formatOption } from '../command.ts'
import { type DocumentRead, readDocuments, showProblem } from '../documents.ts'
import { sayTaken } from '../lost.ts'
import { Problem } from '../problem.ts'
import { quoted } from '../quoted.ts'
import { formatOf, print, printTable, printText, say, show } from '../term.ts'

export default command({
  doing: 'create documents',
  help: `Usage: sallyport admin create [-f] FILE|- [--force] [--diff | --dry-run]

Creates the users, roles, resources, locks and the cluster_auth_preference in FILE (YAML or JSON;
- is standard input), all of them or none. Certificates may be named by paths, which count from
FILE. A new user has nothing to sign in with: sallyport admin users reset NAME makes the link.
You approve all of them with one tap in the browser; where the cluster asks for none, your login
must be at most five minutes old.

Options:
  -f, --file=FILE  the same as FILE
  --force          replace those that exist; let passkeys stop working with a new rp_id, and
                   people be shut out who have nothing else that is taken
  --diff           only show what would be different, lines with + and -; nothing is changed
  --no-browser     do not open a browser, only show the address of the page
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
    diff: { type: 'boolean' },
    ...browserOption,
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
    if (values.diff) {
      printText(await differenceTo(values.profile, documents))
      return 'ok'
    }
    const how = { force: values.force ?? false, opensBrowser: !values['no-browser'] }
    const outcomes = await put(values.profile, documents, how)
    await show(format, outcomes, () =>
      printTable(
        ['KIND', 'NAME', 'OUTCOME'],
        outcomes.map(({ kind, name, outcome }) => [kind, name, outcome]),
      ),
    )
    sayWaiting(outcomes)
    return 'ok'
  },
})

/** Their link holds a key that is made by whoever hands it on, so it comes with a tap of its own. */
function sayWaiting(outcomes: Awaited<ReturnType<typeof put>>): void {
  const created = outcomes.filter(({ kind, outcome }) => kind === 'user' && outcome === 'created')
  if (created.length === 0) return
  say('What is new has nothing to sign in with yet. For a link that lets somebody in:')
  for (const { name } of created) say(`  sallyport admin users reset ${quoted(name)}`)
}

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
async function put(
  profile: string | undefined,
  documents: readonly Document[],
  { force, opensBrowser }: { readonly force: boolean; readonly opensBrowser: boolean },
) {
  const [{ openSession }, { callApproved }, { operations }] = await Promise.all([
    import('../api.ts'),
    import('../tap.ts'),
    import('../../core/api/operations.ts'),
  ])
  const session = await openSession(profile)
  const body = { documents, force, replaces: undefined }
  const toDo = `approve ${documents.length === 1 ? 'the document' : `all ${documents.length} documents`}`
  const answer = await callApproved(session, operations.documentsPut, { body }, { toDo, opensBrowser })
  sayTaken(answer)
  return answer.documents.map((document) => ({ ...document }))
}

/** What the page would show that asks for the tap. */
async function differenceTo(profile: string | undefined, documents: readonly Document[]): Promise<string> {
  const [{ call, openSession }, { operations }, { changeLines }] = await Promise.all([
    import('../api.ts'),
    import('../../core/api/operations.ts'),
    import('../../core/access/catalog-plan.ts'),
  ])
  const stored = await call(await openSession(profile), operations.documentsList, {})
  const there = stored.documents.filter(({ preset }) => !preset).map(({ document }) => document as Document)
  const before = ({ kind, metadata: { name } }: Document) =>
    there.find((one) => one.kind === kind && one.metadata.name === name)
  const lines = documents.flatMap((document) => changeLines({ document, before: before(document) }))
  return lines.map((line) => `${line}\n`).join('')
}
