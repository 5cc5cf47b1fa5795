/** Tables of what a reader of documents takes and refuses. */
import { expect, test } from 'vitest'
import { type Document, type PolicyDocument, parseDocument } from '../../../core/access/document.ts'
import { showPath } from '../../../core/access/place.ts'
import type { Json } from '../../../core/intent.ts'
import { changed } from './samples.ts'

export const dotted = (path: string) => path.split('.')

export function read(json: Json): Document {
  const parsed = parseDocument(json)
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

/** One of no user. */
export function readPolicy(json: Json): PolicyDocument {
  const document = read(json)
  if (document.kind === 'user') throw new Error('a user')
  return document
}

export function problemsOf(json: Json): string[] {
  const parsed = parseDocument(json)
  return parsed.kind === 'value' ? [] : parsed.problems.map(({ path, message }) => `${showPath(path)}: ${message}`)
}

/** Which member, its value, and what is canonical for it: undefined is left out. */
export type Fine = readonly [path: string, written: Json | undefined, canonical: Json | undefined]
/** Which member, its value, and the one problem: at that member, unless it names a part of it. */
export type Wrong = readonly [path: string, written: Json | undefined, problem: string]

export function acceptsAndRefuses(sample: Json, fine: readonly Fine[], wrong: readonly Wrong[]) {
  test('the sample is canonical', () => {
    expect(read(sample)).toEqual(sample)
  })

  test.each(fine)('accepts %s: %j', (path, written, canonical) => {
    expect(read(changed(sample, dotted(path), written))).toEqual(changed(sample, dotted(path), canonical))
  })

  test.each(wrong)('refuses %s: %j', (path, written, problem) => {
    const at = /^[.[]/.test(problem) ? `${path}${problem}` : `${path}: ${problem}`
    expect(problemsOf(changed(sample, dotted(path), written))).toEqual([at])
  })
}
