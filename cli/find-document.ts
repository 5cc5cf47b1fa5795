import { type Document, parseDocument } from '../core/access/document.ts'
import { presets } from '../core/access/presets.ts'
import type { AnswerOf } from '../core/api/operation.ts'
import { operations } from '../core/api/operations.ts'
import type { Json } from '../core/intent.ts'
import { call, type Session } from './api.ts'
import { type MeantOne, showMeant } from './document-name.ts'
import { Problem } from './problem.ts'

export type Shown = AnswerOf<typeof operations.documentsList>['documents'][number]

/** What this sallyport cannot read it would not print in full. Preset roles do not parse, because nobody may write one. */
export function requireDocument({ document, preset }: Pick<Shown, 'document' | 'preset'>): Document {
  const builtIn = preset && presets.find(({ metadata }) => metadata.name === nameIn(document))
  if (builtIn) return builtIn
  const parsed = parseDocument(document)
  if (parsed.kind === 'value') return parsed.value
  const [first] = parsed.problems
  const why = `the edge holds a document that this sallyport cannot read (${first?.message})`
  throw new Problem('failed', why, 'use a sallyport of the version of the edge')
}

const nameIn = (document: Json): unknown => (document as { metadata?: { name?: unknown } } | null)?.metadata?.name

/** One that can be changed. @throws Problem */
export async function findDocument(
  session: Session,
  meant: MeantOne,
): Promise<Shown & { readonly document: Document }> {
  const { documents } = await call(session, operations.documentsList, { query: meant })
  const [found] = documents
  if (!found)
    throw new Problem('failed', `there is no ${showMeant(meant)}`, `sallyport admin get ${meant.kind} lists them`)
  const document = requireDocument(found)
  if (found.preset && document.kind === 'role')
    throw new Problem('failed', `${showMeant(meant)} is built in`, 'create a role of another name')
  return { ...found, document }
}
