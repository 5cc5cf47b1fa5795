/** The rules of the house, each a pure function from sources to violations. tests/house.test.ts keeps them. */
import { posix } from 'node:path'
import {
  countLines,
  functionLines,
  type Import,
  importsOf,
  isNode,
  keyOf,
  lineAt,
  literal,
  type Node,
  parse,
  type Source,
} from './parse.ts'
import { environment, onePrinter, pureCore } from './purity.ts'
import { each, eachNode, type House, percentile, type Rule, roomOf } from './rule.ts'
import type { Tree } from './tree.ts'

type Room = {
  /** Folders and files of ours that it may import, besides its own. */
  ours: string[]
  /** When given, what of those it may import by value; the rest only by `import type`. */
  byValue?: string[]
  npm: string[]
  /** What single files of it may import besides. */
  extra?: Record<string, string[]>
}

/** Who may import what. A room is a top-level folder, or a file at the top. */
export const rooms: Record<string, Room> = {
  core: {
    ours: [],
    npm: [
      '@noble/hashes',
      'jose',
      '@peculiar/x509',
      'reflect-metadata',
      'canonicalize',
      're2js',
      'otpauth',
      'oauth4webapi',
    ],
  },
  storage: { ours: ['core/'], npm: ['drizzle-orm'], extra: { 'storage/sqlite.ts': ['node:*'] } },
  worker: {
    ours: ['core/', 'storage/'],
    npm: ['hono'],
    extra: {
      'worker/serve.ts': ['@hono/node-server', 'node:*'],
      'worker/node-signatures.ts': ['node:buffer', 'node:crypto'],
      'worker/node-passwords.ts': ['node:crypto'],
    },
  },
  web: {
    ours: ['core/'],
    byValue: ['core/intent.ts', 'core/vouch.ts', 'core/lib/'],
    // uqr: an authenticator app's key is drawn in the browser, so that no server or log sees a picture of it.
    npm: ['@simplewebauthn/browser', 'uqr'],
  },
  proxy: { ours: ['core/'], npm: ['yaml', 'koffi', 'node:*'] },
  cli: {
    ours: ['core/', 'proxy/local.ts', 'proxy/local-http.ts', 'proxy/yaml.ts'],
    npm: ['yaml', 'uqr', 'oauth4webapi', 'node:*'],
  },
  'start.ts': { ours: ['core/'], npm: ['node:*'] },
  'build.ts': { ours: [], npm: ['esbuild', 'node:*'] },
}

/** Files that open a database or a store: one entry each, so that a runtime never loads another's. */
export const doors: Record<string, string[]> = {
  'storage/d1.ts': ['worker/index.ts'],
  'storage/sqlite.ts': ['worker/serve.ts'],
}

const longestFile = 400
const longestFunction = 80
const longestFunctionP90 = 45

/** Is it a source that the rules look at? */
export function checked(path: string): boolean {
  return path.endsWith('.ts') && Object.hasOwn(rooms, roomOf(path))
}

export function readHouse(tree: Tree): House {
  return {
    tree,
    sources: Object.entries(tree)
      .filter(([path]) => checked(path))
      .map(([path, text]) => parse(path, text)),
  }
}

const isOneOf = (path: string, list: string[]) =>
  list.some((entry) => (entry.endsWith('/') ? path.startsWith(entry) : path === entry))

const targetOf = (from: string, specifier: string) => posix.join(posix.dirname(from), specifier)

function mayUsePackage(path: string, specifier: string): boolean {
  const room = rooms[roomOf(path)]
  const allowed = [...(room?.npm ?? []), ...(room?.extra?.[path] ?? [])]
  return allowed.some((name) =>
    name === 'node:*' ? specifier.startsWith('node:') : specifier === name || specifier.startsWith(`${name}/`),
  )
}

function whyNotOurs(path: string, target: string, typeOnly: boolean): string | undefined {
  const name = roomOf(path)
  const room = rooms[name]
  const openers = doors[target]
  if (openers && !openers.includes(path)) return `only ${openers.join(', ')} may open ${target}`
  if (!room || roomOf(target) === name) return undefined
  if (!isOneOf(target, room.ours)) return `${name} may not know ${target}: imports point downstairs`
  if (typeOnly || !room.byValue || isOneOf(target, room.byValue)) return undefined
  return `${name} may import ${target} only by \`import type\`: what it holds would be shipped`
}

function whyNotImport(path: string, { specifier, typeOnly }: Import): string | undefined {
  if (specifier === undefined) return 'import() of a computed name hides what is imported'
  if (specifier.startsWith('.')) return whyNotOurs(path, targetOf(path, specifier), typeOnly)
  if (mayUsePackage(path, specifier)) return undefined
  return `${path} may not use ${specifier}: see the table at the top of tests/house/check.ts`
}

const imports = each((source) =>
  importsOf(source).flatMap((found) => {
    const why = whyNotImport(source.path, found)
    return why ? [`${source.path}:${found.line}: ${why}`] : []
  }),
)

const endings = each((source) =>
  importsOf(source).flatMap(({ specifier, line }) =>
    specifier?.startsWith('.') && !specifier.endsWith('.ts')
      ? [`${source.path}:${line}: ${specifier} does not end in .ts: Node runs the sources as they are`]
      : [],
  ),
)

/** One violation a cycle that a depth-first walk closes. */
const cycles: Rule = ({ sources }) => {
  const edges = new Map(sources.map((source) => [source.path, valueImports(source)]))
  const done = new Set<string>()
  const visit = (path: string, trail: string[]): string[] => {
    const at = trail.indexOf(path)
    if (at >= 0) return [`value-import cycle: ${[...trail.slice(at), path].join(' -> ')}`]
    if (done.has(path)) return []
    const found = (edges.get(path) ?? []).flatMap((next) => visit(next, [...trail, path]))
    done.add(path)
    return found
  }
  return [...edges.keys()].flatMap((path) => visit(path, []))
}

function valueImports(source: Source): string[] {
  return importsOf(source).flatMap(({ specifier, typeOnly }) =>
    specifier?.startsWith('.') && !typeOnly ? [targetOf(source.path, specifier)] : [],
  )
}

const barrels = each(({ path, program }) => {
  const body = program.body as Node[]
  const exports = body.filter((node) => node.type.startsWith('Export') && !node.declaration)
  const rest = body.filter((node) => node.type !== 'ImportDeclaration' && !exports.includes(node))
  return exports.length > 0 && rest.length === 0
    ? [`${path}: a barrel, every statement is a re-export: import the file that says it`]
    : []
})

const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.d)?$/
const kebabNames = each(({ path }) => {
  const odd = path
    .replace(/\.ts$/, '')
    .split('/')
    .filter((part) => !kebab.test(part))
  return odd.length > 0 ? [`${path}: ${odd.join(', ')} is not kebab-case`] : []
})

const sayNothing = ['src', 'lib', 'utils', 'shared', 'types', 'common', 'helpers']
const folders: Rule = ({ tree }) => {
  const tops = new Set(Object.keys(tree).flatMap((path) => (path.includes('/') ? [roomOf(path)] : [])))
  return sayNothing
    .filter((name) => tops.has(name))
    .map((name) => `${name}/: a top-level folder whose name says nothing attracts everything`)
}

const transactions = eachNode((node) =>
  node.type === 'CallExpression' &&
  isNode(node.callee) &&
  node.callee.type === 'MemberExpression' &&
  keyOf(node.callee) === 'transaction'
    ? 'D1 has no interactive transactions: one statement, or one atomic batch'
    : undefined,
)

const anyTypes = eachNode((node) =>
  node.type === 'TSAnyKeyword'
    ? '`any` switches the compiler off: say the type, or `unknown` and narrow it'
    : undefined,
)

const silenced = each((source) =>
  source.comments
    .filter(({ value }) => /@ts-(ignore|nocheck)\b/.test(value))
    .map(({ start }) => `${source.path}:${lineAt(source, start)}: @ts-ignore hides every error to come`),
)

const declaresType = new Set([
  'ClassDeclaration',
  'ClassExpression',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
])
// IP, IPv6 and IPAddress are nouns, not interfaces.
const emptyName = /^I(?!P(v[46]|[A-Z]|$))[A-Z]|(Impl|Manager|Service|Helper|Utils)$/
const typeNames = eachNode(({ type, id }) => {
  const name = declaresType.has(type) && isNode(id) ? String(id.name) : ''
  return emptyName.test(name) ? `${name}: no I-, -Impl, -Manager, -Service, -Helper, -Utils: name the noun` : undefined
})

const functions: Rule = ({ sources }) => {
  const all = sources.flatMap((source) => functionLines(source).map((found) => ({ ...found, path: source.path })))
  const p90 = percentile(
    all.map(({ lines }) => lines),
    0.9,
  )
  const tooLong = all
    .filter(({ lines }) => lines > longestFunction)
    .map(
      ({ path, line, lines }) => `${path}:${line}: a function of ${lines} lines, the house allows ${longestFunction}`,
    )
  const tooMany = `functions have ${p90} lines at the 90th percentile, the house allows ${longestFunctionP90}`
  return p90 > longestFunctionP90 ? [...tooLong, tooMany] : tooLong
}

const files = each(({ path, text }) => {
  const lines = countLines(text)
  return lines > longestFile ? [`${path}: ${lines} lines, the house allows ${longestFile}`] : []
})

const cascade = /\bon\s+delete\s+cascade\b/i
const noForeignKeys = /\bpragma\s+foreign_keys\s*=\s*(off|0|false)\b/i
const cascades: Rule = (house) => [...cascadesInSources(house), ...cascadesInMigrations(house)]

const cascadesInSources = eachNode((node) => {
  const isOption = node.type === 'Property' && keyOf(node) === 'onDelete' && literal(node.value) === 'cascade'
  const sql = node.type === 'TemplateElement' ? (node.value as { raw: string }).raw : (literal(node) ?? '')
  return isOption || cascade.test(sql) ? 'a cascade deletes what no statement names: delete it by name' : undefined
})

function cascadesInMigrations({ tree }: House): string[] {
  const migrations = Object.entries(tree).filter(([path]) => /^storage\/migrations\/.*\.sql$/.test(path))
  return migrations.flatMap(([path, sql]) => [
    ...(cascade.test(sql) ? [`${path}: ON DELETE CASCADE deletes what no statement names`] : []),
    ...(noForeignKeys.test(sql)
      ? [`${path}: foreign_keys=OFF does nothing inside D1's transaction: rebuild by hand`]
      : []),
  ])
}

const generated = /^(dist|node_modules|\.sallyport|\.wrangler)\//
const looksLikePath = /^[\w.*-]+((\/[\w.*-]+)*\/|(\/[\w.*-]+)+\.(ts|mjs|json|toml|md|sql|css|html|ya?ml)|\.(ts|mjs))$/

const architecture: Rule = ({ tree }) => {
  const text = tree['ARCHITECTURE.md'] ?? ''
  const paths = [...text.matchAll(/`([^`\s]+)`/g)].flatMap(([, quoted]) => (quoted ? [quoted] : []))
  return paths
    .filter((path) => looksLikePath.test(path) && !generated.test(path) && !exists(tree, path))
    .map((path) => `ARCHITECTURE.md: \`${path}\` does not exist`)
}

/** A bare file name may stand for a file of any folder; a star for any part of a name. */
function exists(tree: Tree, path: string): boolean {
  const pattern = path.replaceAll('.', '\\.').replaceAll('*', '[^/]*')
  const wanted = path.endsWith('/')
    ? new RegExp(`^${pattern}`)
    : new RegExp(path.includes('/') ? `^${pattern}$` : `(^|/)${pattern}$`)
  return Object.keys(tree).some((candidate) => wanted.test(candidate))
}

const parses = each(({ path, errors }) => errors.map((error) => `${path}: does not parse: ${error}`))

export const rules = {
  'every file parses': parses,
  'imports point downstairs': imports,
  'relative imports end in .ts': endings,
  'no value-import cycles': cycles,
  'no barrel files': barrels,
  'names are kebab-case': kebabNames,
  'no top-level folder that says nothing': folders,
  'core is pure': pureCore,
  'the environment is read in four places': environment,
  'one file of the CLI prints': onePrinter,
  'no interactive transactions': transactions,
  'no any': anyTypes,
  'no @ts-ignore': silenced,
  'no empty words in type names': typeNames,
  'functions are short': functions,
  'files are short': files,
  'nothing deletes by cascade': cascades,
  'ARCHITECTURE.md names what exists': architecture,
} satisfies Record<string, Rule>
