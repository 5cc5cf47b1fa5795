import { parseArgs } from 'node:util'

/** The numbers that a benchmark asks for, and whether its servers are profiled. */
export type Settings<Name extends string> = Readonly<Record<Name, number>> & { readonly cpuProf: boolean }

/** Each number has its default and is at least one. `--only` may come more than once. */
export function readOptions<Name extends string, C extends { name: string }>(
  args: readonly string[],
  defaults: Readonly<Record<Name, number>>,
  all: readonly C[],
): { settings: Settings<Name>; contenders: readonly C[] } {
  const names = Object.keys(defaults) as Name[]
  const numbers = Object.fromEntries(names.map((name) => [name, { type: 'string' } as const]))
  const own = { only: { type: 'string', multiple: true }, 'cpu-prof': { type: 'boolean', default: false } } as const
  const { values } = parseArgs({ args: [...args], options: { ...numbers, ...own } })
  const given = values as Readonly<Record<string, unknown>>
  const counts = names.map((name) => [name, count(String(given[name] ?? defaults[name]))])
  const contenders = all.filter(({ name }) => values.only?.includes(name) ?? true)
  if (contenders.length === 0) throw new Error(`--only: ${all.map(({ name }) => name).join(' or ')}`)
  return { settings: { ...Object.fromEntries(counts), cpuProf: values['cpu-prof'] }, contenders }
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`not a number of at least one: ${text}`)
  return Number(text)
}
