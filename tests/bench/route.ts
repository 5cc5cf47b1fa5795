/**
 * What one decision costs with ten names in the table, with a thousand and with a hundred thousand: exact ones and wildcards in equal
 * parts, asked in no order. And what it costs when no name is spelled out, and each of the expressions is tried.
 */
import { cpus } from 'node:os'
import { compileTable, type RouteRule, type RouteTable } from '../../core/route/table.ts'
import { spread } from './statistics.ts'

const sizes = [10, 1000, 100_000]
const [rounds, decisions] = [9, 200_000]
const perRule = 1000

const rule = (name: string, more: Partial<RouteRule>): RouteRule => ({
  name,
  sni: [],
  noSni: false,
  alpn: undefined,
  tls: 'passthrough',
  clientCertificate: false,
  ...more,
})

function tableOf(rules: readonly RouteRule[]): RouteTable<RouteRule> {
  const compiled = compileTable(rules)
  if (compiled.kind === 'invalid') throw new Error(JSON.stringify(compiled.problems[0]))
  return compiled.value
}

const exact = (at: number) => `host-${at}.example.com`
const wild = (at: number) => `*.team-${at}.example.org`

/** Half of the names are wildcards. */
function ofSize(names: number): RouteTable<RouteRule> {
  const all = Array.from({ length: names }, (_, at) => (at % 2 === 0 ? exact(at) : wild(at)))
  const rules = Array.from({ length: Math.ceil(names / perRule) }, (_, at) =>
    rule(`r${at}`, { sni: all.slice(at * perRule, (at + 1) * perRule), alpn: ['h2', 'http/1.1', ''] }),
  )
  return tableOf(rules)
}

/** Scattered over the table, and the same for each round. `distinct`, a power of two: how many names clients ask for. */
function questions(names: number, distinct: number) {
  return Array.from({ length: distinct }, (_, i) => {
    const at = (i * 2_654_435_761) % names
    const sni = at % 2 === 0 ? exact(at) : `db-${i % 7}.team-${at}.example.org`
    return { sni, alpn: ['h2', 'http/1.1'] }
  })
}

function nanoseconds(table: RouteTable<RouteRule>, asked: ReturnType<typeof questions>, count: number): number {
  const start = process.threadCpuUsage()
  let taken = 0
  for (let i = 0; i < count; i++)
    if (table.match(asked[i & (asked.length - 1)] as (typeof asked)[number]).kind === 'route') taken++
  const { user, system } = process.threadCpuUsage(start)
  if (taken !== count) throw new Error('a name was not found')
  return ((user + system) * 1000) / count
}

/** The floor: the very strings are looked for in a bare Map of all names, exact ones and wildcards as they are spelled in it. */
function mapOf(names: number) {
  const map = new Map(Array.from({ length: names }, (_, at) => [at % 2 === 0 ? exact(at) : wild(at), at]))
  // Flat strings of their own with a hash that is known: no look-up of names can have it easier.
  const keys = (asked: ReturnType<typeof questions>) =>
    asked.map(({ sni }) => (map.has(sni) ? sni : `*${sni.slice(sni.indexOf('.'))}`))
  return { map, keys }
}

function bareNanoseconds(map: ReadonlyMap<string, number>, keys: readonly string[], count: number): number {
  const start = process.threadCpuUsage()
  let found = 0
  for (let i = 0; i < count; i++) if (map.get(keys[i & (keys.length - 1)] as string) !== undefined) found++
  const { user, system } = process.threadCpuUsage(start)
  if (found !== count) throw new Error('a name was not found')
  return ((user + system) * 1000) / count
}

/**
 * Of neighbouring rounds: what the machine does meanwhile then weighs on all of them. Few names that are asked for stay in the processor's
 * caches and show what the look-up does; many show what memory costs besides.
 */
export function routes(): unknown {
  const tables = sizes.flatMap((names) => {
    const table = ofSize(names)
    const { map, keys } = mapOf(names)
    return [64, 4096].map((distinct) => {
      const asked = questions(names, distinct)
      return { names, distinct, table, asked, map, keys: keys(asked), figures: [] as number[], bare: [] as number[] }
    })
  })
  const patterned = tableOf([
    ...Array.from({ length: 63 }, (_, at) => rule(`p${at}`, { sniPattern: [`^p${at}-[0-9]+[.]example[.]net$`] })),
    rule('last', { sniPattern: ['^[a-z]+-[0-9]+[.]example[.]net$'] }),
  ])
  const last = Array.from({ length: 4096 }, (_, i) => ({ sni: `x-${i}.example.net`, alpn: [] as string[] }))
  const dear: number[] = []
  for (let round = 0; round <= rounds; round++) {
    for (const { table, asked, map, keys, figures, bare } of tables) {
      const figure = nanoseconds(table, asked, decisions)
      const floor = bareNanoseconds(map, keys, decisions * 5)
      // The first round warms up.
      if (round > 0) figures.push(figure)
      if (round > 0) bare.push(floor)
    }
    const figure = nanoseconds(patterned, last, decisions / 100)
    if (round > 0) dear.push(figure)
  }
  const each = tables.map(({ names, distinct, figures, bare }) => ({
    names,
    distinct_names_asked_for: distinct,
    ns_a_decision: spread(figures, 0),
    ns_a_bare_map_get: spread(bare, 0),
    decision_for_bare_map_get: spread(
      figures.map((figure, at) => figure / (bare[at] ?? Number.NaN)),
      2,
    ),
  }))
  const medians = tables.filter(({ distinct }) => distinct === 64).map(({ figures }) => spread(figures).median)
  return {
    benchmark: 'route',
    machine: { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model, platform: process.platform },
    settings: { rounds, decisions_a_round: decisions, time: 'CPU time of the thread' },
    exact_and_wildcard: each,
    time_with_100000_for_that_with_10: Number(((medians[2] ?? 0) / (medians[0] ?? 1)).toFixed(2)),
    last_of_64_expressions: { ns_a_decision: spread(dear, 0) },
  }
}
