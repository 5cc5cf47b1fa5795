/** Sources as the house rules see them: a syntax tree, its imports, its functions, and which names are global. */
import { parseSync, visitorKeys } from 'oxc-parser'

type Key =
  | 'argument'
  | 'arguments'
  | 'body'
  | 'callee'
  | 'computed'
  | 'declaration'
  | 'elements'
  | 'exportKind'
  | 'expression'
  | 'id'
  | 'imported'
  | 'importKind'
  | 'init'
  | 'key'
  | 'left'
  | 'local'
  | 'name'
  | 'object'
  | 'param'
  | 'params'
  | 'properties'
  | 'property'
  | 'quasis'
  | 'source'
  | 'specifiers'
  | 'value'
/** A node of any type, with the fields that some rule asks for. */
export type Node = { type: string; start: number; end: number } & { [key in Key]?: unknown }
export type Import = { specifier: string | undefined; typeOnly: boolean; line: number }
export type Source = {
  path: string
  text: string
  program: Node
  comments: { value: string; start: number }[]
  errors: string[]
}
/** `node` is the identifier with its casts around it, as `parent` holds it. */
export type Reference = { name: string; node: Node; parent: Node }

export function parse(path: string, text: string): Source {
  const { program, comments, errors } = parseSync(path, text, { preserveParens: false })
  return { path, text, program: program as unknown as Node, comments, errors: errors.map((error) => error.message) }
}

export function lineAt({ text }: Source, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

export function countLines(text: string): number {
  return text === '' ? 0 : text.replace(/\n$/, '').split('\n').length
}

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'

export function childrenOf(node: Node): [key: string, child: Node][] {
  return (visitorKeys[node.type] ?? []).flatMap((key) =>
    [(node as Record<string, unknown>)[key]]
      .flat()
      .flatMap((child): [string, Node][] => (isNode(child) ? [[key, child]] : [])),
  )
}

export function* walk(node: Node): Generator<Node> {
  yield node
  for (const [, child] of childrenOf(node)) yield* walk(child)
}

/** The text of a string literal, or of a template without holes. */
export function literal(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  const parts = node.type === 'TemplateLiteral' ? (node.quasis as { value: { cooked: string } }[]) : []
  return parts.length === 1 ? parts[0]?.value.cooked : undefined
}

export const named = (node: unknown, name: string) => isNode(node) && node.type === 'Identifier' && node.name === name

/** What a property is called, be it `a.name`, `a['name']` or `{ name: ... }`. */
export function keyOf(node: Node): string | undefined {
  const key = node.type === 'MemberExpression' ? node.property : node.key
  if (isNode(key) && key.type === 'Identifier' && node.computed !== true) return String(key.name)
  return literal(key)
}

// `import { type A }` leaves an import behind when types are stripped: only `import type` is type-only.
const importKinds: Record<string, (node: Node) => boolean> = {
  ImportDeclaration: (node) => node.importKind === 'type',
  ExportNamedDeclaration: (node) => node.exportKind === 'type',
  ExportAllDeclaration: (node) => node.exportKind === 'type',
  ImportExpression: () => false,
  TSImportType: () => true,
}

export function importsOf(source: Source): Import[] {
  return [...walk(source.program)].flatMap((node) => {
    const typeOnly = importKinds[node.type]
    if (!typeOnly || !isNode(node.source)) return []
    return [{ specifier: literal(node.source), typeOnly: typeOnly(node), line: lineAt(source, node.start) }]
  })
}

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
export const isFunction = (node: Node) => functionTypes.has(node.type)

/**
 * The lines of each function's body. An arrow function whose body is an expression on one line is left out: hundreds of
 * them would only flatter the percentile.
 */
export function functionLines(source: Source): { line: number; lines: number }[] {
  return [...walk(source.program)].flatMap((node) => {
    if (!isFunction(node) || !isNode(node.body)) return []
    const lines = countLines(source.text.slice(node.body.start, node.body.end))
    if (lines === 1 && node.body.type !== 'BlockStatement') return []
    return [{ line: lineAt(source, node.start), lines }]
  })
}

/** Identifiers that are read from the global scope: not declared in the file, not a property name, not a type. */
export function globalReferences(source: Source): Reference[] {
  return [...references(source.program, source.program, [])]
}

function* references(node: Node, parent: Node, scopes: Set<string>[]): Generator<Reference> {
  const bare = withoutCasts(node)
  if (bare.type === 'Identifier') {
    const name = String(bare.name)
    if (!scopes.some((scope) => scope.has(name))) yield { name, node, parent }
    return
  }
  const inner = isFunction(node) || node.type === 'Program' ? [...scopes, declaredIn(node)] : scopes
  for (const [key, child] of childrenOf(node)) {
    if (!isOnlyAName(node, key) && !isType(child)) yield* references(child, node, inner)
  }
}

const nameKeys: Record<string, string> = {
  MemberExpression: 'property',
  Property: 'key',
  PropertyDefinition: 'key',
  MethodDefinition: 'key',
  LabeledStatement: 'label',
  BreakStatement: 'label',
  ContinueStatement: 'label',
}
const nameOnly = /^(Import|Export)(Default|Namespace)?Specifier$|^MetaProperty$/

function isOnlyAName(node: Node, key: string): boolean {
  return nameOnly.test(node.type) || (nameKeys[node.type] === key && node.computed !== true)
}

const typedExpressions = /^TS(As|NonNull|Satisfies|Instantiation)Expression$/

function withoutCasts(node: Node): Node {
  return typedExpressions.test(node.type) && isNode(node.expression) ? withoutCasts(node.expression) : node
}

const isType = (node: Node) => node.type.startsWith('TS') && !typedExpressions.test(node.type)

/** Names that a function or a file declares, all blocks together: `var` and `let` are not told apart. */
function declaredIn(scope: Node): Set<string> {
  const names = new Set<string>()
  const add = (pattern: unknown) => {
    for (const name of boundBy(pattern)) names.add(name)
  }
  const look = (node: Node) => {
    if (node.type === 'VariableDeclarator') add(node.id)
    if (node.type === 'CatchClause') add(node.param)
    if (nameOnly.test(node.type)) add(node.local)
    if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') add(node.id)
    if (!isFunction(node)) for (const [, child] of childrenOf(node)) look(child)
  }
  if (isFunction(scope)) for (const parameter of scope.params as unknown[]) add(parameter)
  if (isFunction(scope)) add(scope.id)
  for (const [, child] of childrenOf(scope)) look(child)
  return names
}

function boundBy(pattern: unknown): string[] {
  if (!isNode(pattern)) return []
  if (pattern.type === 'Identifier') return [String(pattern.name)]
  const parts = [pattern.properties, pattern.elements, pattern.left, pattern.argument, pattern.value]
  return parts.flat().flatMap(boundBy)
}
