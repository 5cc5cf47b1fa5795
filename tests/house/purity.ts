/** What reaches outside: core touches nothing of the world, and the environment is read in named files only. */
import { globalReferences, isNode, keyOf, lineAt, literal, type Node, named, type Reference } from './parse.ts'
import { each, eachNode, type Rule, roomOf } from './rule.ts'

const environmentReaders = ['worker/env.ts', 'proxy/config.ts', 'cli/profile.ts', 'start.ts', 'build.ts']

const network = 'core has no network: I/O comes in through ports'
const clock = 'core has no clock: `now` comes in through ports'
const timers = 'core has no timers: whoever calls it owns time'
const random = 'core has no randomness of its own: `random` comes in through ports'
const anyGlobal = 'core names the globals that it uses, so that this rule sees them'
const impureGlobals = new Map([
  ['performance', clock],
  ['process', 'core has no environment: configuration comes in as arguments'],
  ...['Deno', 'Bun', 'navigator'].map((name) => [name, 'core has no runtime: Web-standard globals only'] as const),
  ...['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'caches'].map((name) => [name, network] as const),
  ['console', 'core prints nothing: throw a Refusal, or record an audit event through ports'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'].map((name) => [name, timers] as const),
  ...['globalThis', 'self', 'window'].map((name) => [name, anyGlobal] as const),
])
const impureMembers = new Map([
  ['Date.now', clock],
  ['Math.random', random],
  ['crypto.getRandomValues', random],
  ['crypto.randomUUID', random],
  ['AbortSignal.timeout', timers],
])

/** What is read of a global object: `Date.now`, `Date['now']`, `const { now } = Date`. */
function membersRead({ name, node, parent }: Reference): string[] {
  const pattern =
    parent.type === 'VariableDeclarator' && parent.init === node && isNode(parent.id) ? parent.id : undefined
  const properties = pattern?.type === 'ObjectPattern' ? (pattern.properties as Node[]) : []
  const members = parent.type === 'MemberExpression' && parent.object === node ? [parent] : properties
  return members.map((member) => `${name}.${keyOf(member)}`)
}

function whyImpure(reference: Reference): string | undefined {
  const { name, node, parent } = reference
  const isCalled = parent.callee === node
  const readsClock = parent.type === 'CallExpression' || (parent.arguments as unknown[] | undefined)?.length === 0
  if (name === 'Date' && isCalled && readsClock) return `new Date(): ${clock}`
  const member = membersRead(reference).find((read) => impureMembers.has(read))
  if (member) return `${member}: ${impureMembers.get(member)}`
  return impureGlobals.has(name) ? `${name}: ${impureGlobals.get(name)}` : undefined
}

export const pureCore = each((source) => {
  if (roomOf(source.path) !== 'core') return []
  return globalReferences(source).flatMap((reference) => {
    const why = whyImpure(reference)
    return why ? [`${source.path}:${lineAt(source, reference.node.start)}: ${why}`] : []
  })
})

const runtimes = ['process', 'Deno', 'Bun']

function readsEnvironment(node: Node): boolean {
  const isRuntime = (from: unknown) =>
    isNode(from) &&
    (from.type === 'MetaProperty' ||
      runtimes.some((name) => named(from, name) || (from.type === 'MemberExpression' && keyOf(from) === name)))
  if (node.type === 'MemberExpression') return keyOf(node) === 'env' && isRuntime(node.object)
  if (node.type === 'ImportDeclaration') {
    const isProcess = /^(node:)?process$/.test(literal(node.source) ?? '')
    return isProcess && (node.specifiers as Node[]).some((specifier) => named(specifier.imported, 'env'))
  }
  if (node.type !== 'VariableDeclarator' || !isNode(node.id) || node.id.type !== 'ObjectPattern') return false
  return isRuntime(node.init) && (node.id.properties as Node[]).some((property) => keyOf(property) === 'env')
}

export const environment: Rule = ({ tree, sources }) =>
  eachNode((node) =>
    readsEnvironment(node) ? `the environment is read only in ${environmentReaders.join(', ')}` : undefined,
  )({ tree, sources: sources.filter(({ path }) => !environmentReaders.includes(path)) })

const printer = 'cli/term.ts'
const isStream = (name: string | undefined) => name === 'stdout' || name === 'stderr'

function prints(node: Node): boolean {
  if (node.type === 'MemberExpression') {
    return named(node.object, 'console') || (named(node.object, 'process') && isStream(keyOf(node)))
  }
  if (node.type === 'ImportDeclaration') {
    const isProcess = /^(node:)?process$/.test(literal(node.source) ?? '')
    return (
      isProcess &&
      (node.specifiers as Node[]).some(({ imported }) => isNode(imported) && isStream(String(imported.name)))
    )
  }
  if (node.type !== 'VariableDeclarator' || !isNode(node.id) || node.id.type !== 'ObjectPattern') return false
  return named(node.init, 'process') && (node.id.properties as Node[]).some((property) => isStream(keyOf(property)))
}

/** A file that printed by itself would forget to clean foreign text. */
export const onePrinter: Rule = ({ tree, sources }) =>
  eachNode((node) =>
    prints(node) ? `only ${printer} prints: it keeps control sequences from the terminal` : undefined,
  )({
    tree,
    sources: sources.filter(({ path }) => roomOf(path) === 'cli' && path !== printer),
  })
