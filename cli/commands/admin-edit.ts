import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Document } from '../../core/access/document.ts'
import { operations } from '../../core/api/operations.ts'
import { openSession, type Session } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { type MeantOne, requireOne, showMeant } from '../document-name.ts'
import { printDocuments, readDocuments, showProblem } from '../documents.ts'
import { findDocument } from '../find-document.ts'
import { sayTaken } from '../lost.ts'
import { Problem } from '../problem.ts'
import { environment } from '../profile.ts'
import { quoted } from '../quoted.ts'
import { runProgram } from '../run.ts'
import { callApproved } from '../tap.ts'
import { say } from '../term.ts'

export default command({
  doing: 'edit the document',
  help: `Usage: sallyport admin edit KIND/NAME [--force] [--no-browser]

Opens the document in your editor ($VISUAL, else $EDITOR) and stores what you saved, if nobody
else has changed it meanwhile. What is refused stays in its file. "cap" is how people log in; a
path of a certificate in it counts from where you are. You approve it with a tap in the browser;
where the cluster asks for none, your login must be at most five minutes old.

Options:
  --force       let passkeys stop working with a new rp_id, and people be shut out who have
                nothing else that is taken
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport admin edit cap
  EDITOR=nano sallyport admin edit role/dev
  sallyport admin edit user/alice
`,
  options: { force: { type: 'boolean' }, ...browserOption },
  takes: [1, 1],
  run: async (values, [given = '']) => {
    const asked = requireOne(given)
    const editor = requireEditor()
    const session = await openSession(values.profile)
    const found = await findDocument(session, asked)
    // A user is found however the name is spelled.
    const meant = { ...asked, name: found.document.metadata.name }
    const before = printDocuments([found.document], 'yaml')
    const file = writePrivately(meant, before)
    await openEditor(editor, file)
    const after = readFileSync(file, 'utf8')
    if (after === before) {
      discard(file)
      say('Nothing was changed.')
      return 'ok'
    }
    const isNew = found.preset
    await keeping(file, meant, () =>
      put(session, requireSame(meant, file, after), {
        replaces: isNew ? '' : found.revision,
        force: values.force ?? false,
        opensBrowser: !values['no-browser'],
      }),
    )
    discard(file)
    say(`${showMeant(meant)} is changed.`)
    return 'ok'
  },
})

function requireEditor(): string {
  const { editor } = environment()
  if (editor !== undefined) return editor
  throw new Problem('usage', 'no editor is set', 'set VISUAL or EDITOR, such as EDITOR=nano')
}

/** In a folder of its own, which nobody else may enter. */
function writePrivately({ kind, name }: MeantOne, content: string): string {
  const plain = name.replaceAll(/[^\p{L}\p{N}.@_-]/gu, '_')
  const file = join(mkdtempSync(join(tmpdir(), 'sallyport-edit-')), `${kind}-${plain}.yaml`)
  writeFileSync(file, content, { mode: 0o600, flag: 'wx' })
  return file
}

const discard = (file: string): void => rmSync(dirname(file), { recursive: true, force: true })

/** By a shell, as git does it: the variable may hold options, such as `code --wait`. */
async function openEditor(editor: string, file: string): Promise<void> {
  const noShell = new Problem('failed', 'there is no /bin/sh', 'use sallyport admin get and create')
  const code = await runProgram('/bin/sh', ['-c', `${editor} "$1"`, editor, file], noShell)
  if (code === 0) return
  throw new Problem('failed', `the editor "${editor}" ended with ${code}`, `what you wrote, if anything, is in ${file}`)
}

/** Whatever stands in the way, what was written is not lost. */
async function keeping(file: string, meant: MeantOne, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof Problem) {
      say(`What you wrote is kept in ${file}`)
      say(`To go on: compare it with "sallyport admin get ${quoted(showKey(meant))}", mend it, then`)
      say(`  sallyport admin create --force ${file}`)
    }
    throw error
  }
}

const showKey = ({ kind, name }: MeantOne): string => (kind === 'cluster_auth_preference' ? 'cap' : `${kind}/${name}`)

function requireSame({ kind, name }: MeantOne, file: string, content: string): Document {
  const read = readDocuments(file, content, '.')
  if ('problems' in read) {
    for (const problem of read.problems) say(showProblem(problem))
    throw new Problem('failed', 'what you wrote has problems', 'mend the lines named above')
  }
  const [only, ...others] = read.documents
  if (only?.document.kind === kind && only.document.metadata.name === name && others.length === 0) return only.document
  throw new Problem(
    'failed',
    'the file holds another document, or several',
    'keep kind and name; create makes new ones',
  )
}

interface Putting {
  readonly replaces: string
  readonly force: boolean
  readonly opensBrowser: boolean
}

async function put(session: Session, document: Document, { opensBrowser, ...how }: Putting): Promise<void> {
  const approval = { toDo: `approve the change of ${document.kind}/${document.metadata.name}`, opensBrowser }
  const body = { documents: [document], ...how }
  sayTaken(await callApproved(session, operations.documentsPut, { body }, approval))
}
