/** What a rule is: from the sources of the house to its violations, one line each. */
import { lineAt, type Node, type Source, walk } from './parse.ts'
import type { Tree } from './tree.ts'

export type House = { tree: Tree; sources: Source[] }
export type Rule = (house: House) => string[]

export function roomOf(path: string): string {
  return path.split('/')[0] ?? path
}

/** Nearest rank. */
export function percentile(numbers: number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0
}

export const each =
  (rule: (source: Source) => string[]): Rule =>
  ({ sources }) =>
    sources.flatMap(rule)

export const eachNode = (rule: (node: Node) => string | undefined): Rule =>
  each((source) =>
    [...walk(source.program)].flatMap((node) => {
      const why = rule(node)
      return why ? [`${source.path}:${lineAt(source, node.start)}: ${why}`] : []
    }),
  )
