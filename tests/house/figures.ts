/** `node tests/house/figures.ts`: how long functions and files are, per room and in all, as JSON. */
import { join } from 'node:path'
import { checked } from './check.ts'
import { countLines, functionLines, parse, type Source } from './parse.ts'
import { percentile, roomOf } from './rule.ts'
import { loadTree } from './tree.ts'

type Figures = { count: number; median: number; p90: number; max: number }

function figures(lines: number[]): Figures {
  return { count: lines.length, median: percentile(lines, 0.5), p90: percentile(lines, 0.9), max: percentile(lines, 1) }
}

function measure(sources: Source[]): { functions: Figures; files: Figures } {
  return {
    functions: figures(sources.flatMap(functionLines).map(({ lines }) => lines)),
    files: figures(sources.map(({ text }) => countLines(text))),
  }
}

const sources = Object.entries(loadTree(join(import.meta.dirname, '../..')))
  .filter(([path]) => checked(path))
  .map(([path, text]) => parse(path, text))
const byRoom = Object.groupBy(sources, ({ path }) => roomOf(path))
const rooms = Object.entries(byRoom).map(([room, files]) => [room, measure(files ?? [])])
console.log(JSON.stringify({ ...Object.fromEntries(rooms), all: measure(sources) }, null, 2))
