/**
 * What a change makes different, in lines that people read: YAML-like, `+` and `-` in the first column. The text is a function of what
 * it compares and of nothing else, and two contents that differ never have the same lines: its hash is part of what a key signs.
 */
import type { Json } from '../intent.ts'
import { base64url, utf8 } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'

/** `changes` of a tapped request. */
export const changesHash = (text: string): string => (text === '' ? '' : base64url(sha256(utf8(text))))

/** A line that is no content: what the lines below it are about. */
export const titleLine = (title: string): string => `@ ${escaped(title)}`
export const addedLines = (lines: readonly string[]): string[] => lines.map((line) => `+ ${line}`)
export const removedLines = (lines: readonly string[]): string[] => lines.map((line) => `- ${line}`)

/** Letters, digits and what paths and addresses hold; nothing that YAML or a hurried reader takes for something else. */
const plainText = /^[A-Za-z0-9/](?:[A-Za-z0-9_./@-]|:(?=[A-Za-z0-9/])| (?=[A-Za-z0-9/]))*$/
const plainName = /^[A-Za-z_][A-Za-z0-9_./-]*$/
const words = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off'])
/** A line of a certificate: printable, no white space at its end. */
const blockLine = /^(?:[\x20-\x7e]*[\x21-\x7e])?$/

const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** What cannot be seen, or turns the direction of a line, stands as its number. */
const escaped = (text: string): string =>
  text.replace(unseen, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)

const quoted = (text: string): string => escaped(JSON.stringify(text))

/** Members in the order of their names, so that it is one text whoever wrote the document. */
export function linesOf(json: Json): string[] {
  if (typeof json === 'string') return textLines(json)
  if (typeof json !== 'object' || json === null) return [JSON.stringify(json)]
  if (Array.isArray(json)) return json.length === 0 ? ['[]'] : json.flatMap((item: Json) => itemLines(item))
  const names = Object.keys(json).sort()
  const map = json as { readonly [member: string]: Json }
  return names.length === 0 ? ['{}'] : names.flatMap((name) => memberLines(name, map[name] ?? null))
}

function textLines(text: string): string[] {
  if (plainText.test(text) && !words.has(text.toLowerCase()) && Number.isNaN(Number(text))) return [text]
  const lines = text.split('\n')
  return lines.length > 1 && lines.every((line) => blockLine.test(line)) ? ['|', ...lines] : [quoted(text)]
}

function memberLines(name: string, json: Json): string[] {
  const key = plainName.test(name) && !words.has(name.toLowerCase()) ? name : quoted(name)
  const [first = '', ...rest] = linesOf(json)
  const isNested = typeof json === 'object' && json !== null && Object.keys(json).length > 0
  return isNested ? [`${key}:`, ...indented([first, ...rest])] : [`${key}: ${first}`, ...indented(rest)]
}

function itemLines(json: Json): string[] {
  const [first = '', ...rest] = linesOf(json)
  return [`- ${first}`, ...indented(rest)]
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)

/** Unchanged lines that are shown around a change. */
const context = 3
/** Beyond so many differing lines nobody looks for the shortest way: all of one, then all of the other. */
const mostEdits = 400

interface Edit {
  readonly mark: '+' | '-' | ' '
  readonly line: string
}

/** Lines of two texts against each other. Empty where they are one. */
export function differenceOf(before: readonly string[], after: readonly string[]): string[] {
  const start = sharedStart(before, after)
  const end = sharedStart(before.slice(start).reverse(), after.slice(start).reverse())
  const [old, fresh] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  if (old.length + fresh.length === 0) return []
  const same = (line: string): Edit => ({ mark: ' ', line })
  const edits = shortestEdits(old, fresh) ?? [...marked('-', old), ...marked('+', fresh)]
  return shortened([...before.slice(0, start).map(same), ...edits, ...before.slice(before.length - end).map(same)])
}

const marked = (mark: Edit['mark'], lines: readonly string[]): Edit[] => lines.map((line) => ({ mark, line }))

function sharedStart(a: readonly string[], b: readonly string[]): number {
  let at = 0
  while (at < a.length && at < b.length && a[at] === b[at]) at++
  return at
}

/** Myers, "An O(ND) Difference Algorithm" (1986): each round of `trace` is how far each diagonal reaches with so many edits. */
function shortestEdits(a: readonly string[], b: readonly string[]): Edit[] | undefined {
  const trace: Map<number, number>[] = []
  let reach = new Map([[1, 0]])
  for (let edits = 0; edits <= Math.min(a.length + b.length, mostEdits); edits++) {
    trace.push(reach)
    reach = new Map(reach)
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = startOf(reach, diagonal, edits)
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++
      reach.set(diagonal, x)
      if (x >= a.length && x - diagonal >= b.length) return wayBack(trace, a, b)
    }
  }
  return undefined
}

const comesDown = (reach: ReadonlyMap<number, number>, diagonal: number, edits: number): boolean =>
  diagonal === -edits || (diagonal !== edits && (reach.get(diagonal - 1) ?? -1) < (reach.get(diagonal + 1) ?? -1))

const startOf = (reach: ReadonlyMap<number, number>, diagonal: number, edits: number): number =>
  comesDown(reach, diagonal, edits) ? (reach.get(diagonal + 1) ?? 0) : (reach.get(diagonal - 1) ?? 0) + 1

function wayBack(trace: readonly ReadonlyMap<number, number>[], a: readonly string[], b: readonly string[]): Edit[] {
  const way: Edit[] = []
  let [x, y] = [a.length, b.length]
  for (const [edits, reach] of [...trace.entries()].reverse()) {
    const isDown = comesDown(reach, x - y, edits)
    const diagonal = x - y + (isDown ? 1 : -1)
    const fromX = reach.get(diagonal) ?? 0
    const fromY = fromX - diagonal
    while (x > fromX && y > fromY) {
      way.push({ mark: ' ', line: a[--x] as string })
      y--
    }
    if (edits > 0) way.push(isDown ? { mark: '+', line: b[--y] as string } : { mark: '-', line: a[--x] as string })
  }
  return way.reverse()
}

/** Leaves out what is the same and far from any change, and says how much that is. */
function shortened(edits: readonly Edit[]): string[] {
  const changed = edits.flatMap(({ mark }, at) => (mark === ' ' ? [] : [at]))
  const lines: string[] = []
  let next = 0
  let left = 0
  for (const [at, { mark, line }] of edits.entries()) {
    while ((changed[next] ?? Number.POSITIVE_INFINITY) < at - context) next++
    const isNear = Math.abs((changed[next] ?? Number.POSITIVE_INFINITY) - at) <= context
    if (isNear && left > 0) lines.push(leftOut(left))
    left = isNear ? 0 : left + 1
    if (isNear) lines.push(`${mark} ${line}`)
  }
  return left > 0 ? [...lines, leftOut(left)] : lines
}

const leftOut = (count: number): string =>
  titleLine(count === 1 ? 'one line stays as it is' : `${count} lines stay as they are`)
