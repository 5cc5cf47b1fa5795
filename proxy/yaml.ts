/**
 * YAML 1.2 with the line of each part, and nothing that reads differently elsewhere: no tags but the core's, no merge
 * keys, no key twice. JSON is YAML, so it comes in here too.
 */
import {
  type Alias,
  Composer,
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { type Path, quoted } from '../core/access/place.ts'
import type { Json } from '../core/intent.ts'

/** A value and where it stands: a part stands at the line of its name. */
export interface Lined {
  readonly json: Json
  readonly line: number
  readonly parts: ReadonlyMap<string | number, Lined>
}

export interface Complaint {
  readonly line: number
  readonly message: string
}

export interface YamlDocument {
  /** undefined: nothing stands in it. */
  readonly value: Lined | undefined
  readonly complaints: readonly Complaint[]
}

const deepest = 32
const tooDeep = `more than ${deepest} levels deep`
const notText = 'the name of a field must be text'
/** Where the library speaks of itself. */
const plainer: { readonly [code in ErrorCode]?: string } = { NON_STRING_KEY: notText, RESOURCE_EXHAUSTION: tooDeep }
const options = {
  // Also after a %YAML 1.1 directive: an instant stays text, and no key merges.
  schema: 'core',
  resolveKnownTags: false,
  stringKeys: true,
  // Found here in a set instead: the library compares each key with each other one.
  uniqueKeys: false,
  prettyErrors: false,
} as const

/** One after the other, so that whoever reads can stop. Lines count from 1. */
export function* readYaml(text: string): Generator<YamlDocument> {
  const lines = new LineCounter()
  const parser = new Parser(lines.addNewLine)
  for (const document of new Composer(options).compose(parser.parse(text))) yield new Reading(lines).read(document)
}

/** The line at a path; for what is missing, that of what it is missing from. */
export function lineAt(value: Lined, path: Path): number {
  let at = value
  for (const step of path) {
    const part = at.parts.get(step)
    if (!part) break
    at = part
  }
  return at.line
}

/**
 * An alias shares what its anchor read, so a bomb of aliases takes no more room than its text. An anchor counts from its
 * end on, so nothing can hold itself.
 */
class Reading {
  readonly #lines: LineCounter
  readonly #anchors = new Map<string, Lined>()
  readonly #complaints: Complaint[] = []

  constructor(lines: LineCounter) {
    this.#lines = lines
  }

  read(document: Document.Parsed): YamlDocument {
    // What follows the first error is mostly its echo; a warning is a tag that nobody knows.
    const faults = [...document.errors.slice(0, 1), ...document.warnings]
    for (const { pos, code, message } of faults)
      this.#complain(this.#lines.linePos(pos[0]).line, plainer[code] ?? message)
    const isEmpty = isScalar(document.contents) && document.contents.value === null
    const value = faults.length > 0 || isEmpty || !document.contents ? undefined : this.#value(document.contents, 1, 0)
    return { value, complaints: this.#complaints }
  }

  #complain(line: number, message: string): void {
    this.#complaints.push({ line, message })
  }

  #lineOf(node: Node, otherwise: number): number {
    return node.range ? this.#lines.linePos(node.range[0]).line : otherwise
  }

  #value(node: Node | null, parentLine: number, depth: number): Lined {
    if (!node) return { json: null, line: parentLine, parts: new Map() }
    const line = this.#lineOf(node, parentLine)
    if (isAlias(node)) return this.#alias(node, line)
    if (depth > deepest) this.#complain(line, tooDeep)
    const value = depth > deepest ? { json: null, line, parts: new Map() } : this.#whole(node, line, depth)
    if ('anchor' in node && node.anchor) this.#anchors.set(node.anchor, value)
    return value
  }

  #whole(node: Node, line: number, depth: number): Lined {
    if (isMap(node)) return this.#map(node as YAMLMap<Node, Node | null>, line, depth)
    if (isSeq(node)) return this.#list(node as YAMLSeq<Node>, line, depth)
    return { json: isScalar(node) ? (node.value as Json) : null, line, parts: new Map() }
  }

  #alias({ source }: Alias, line: number): Lined {
    const value = this.#anchors.get(source)
    if (!value) this.#complain(line, `no anchor ${quoted(source)} stands before this alias`)
    return { ...(value ?? { json: null, parts: new Map() }), line }
  }

  #list(node: YAMLSeq<Node>, line: number, depth: number): Lined {
    const items = node.items.map((item) => this.#value(item, line, depth + 1))
    return { json: items.map((item) => item.json), line, parts: new Map(items.entries()) }
  }

  #map(node: YAMLMap<Node, Node | null>, line: number, depth: number): Lined {
    const parts = new Map<string, Lined>()
    for (const pair of node.items) this.#member(parts, pair, line, depth)
    return { json: Object.fromEntries([...parts].map(([name, { json }]) => [name, json])), line, parts }
  }

  #member(parts: Map<string, Lined>, { key, value }: Pair<Node, Node | null>, parentLine: number, depth: number): void {
    const { json: name, line } = this.#value(key, parentLine, depth + 1)
    const member = { ...this.#value(value, line, depth + 1), line }
    const first = typeof name === 'string' ? parts.get(name) : undefined
    if (typeof name !== 'string') this.#complain(line, notText)
    else if (first) this.#complain(line, `${quoted(name)} stands twice: first at line ${first.line}`)
    else parts.set(name, member)
  }
}
