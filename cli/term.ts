/**
 * The terminal: the only file that prints or prompts. Results go to stdout, everything else to stderr. Text from outside
 * never reaches a terminal as a control sequence: text is cleaned here, JSON and YAML escape it.
 */
import { closeSync } from 'node:fs'
import process from 'node:process'
import { stripVTControlCharacters, styleText } from 'node:util'
import type { Json } from '../core/intent.ts'
import { Interrupted, Problem } from './problem.ts'

export const formats = ['text', 'json', 'yaml'] as const
export type Format = (typeof formats)[number]

/** Controls (C0, DEL, C1), what turns the direction of text, and the two separators that some terminals break lines at. */
const unsafe = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu
type Style = Parameters<typeof styleText>[0]

/** Without whole escape sequences first, so that what they would have drawn is not left as rubble. */
export const clean = (text: string): string => stripVTControlCharacters(text).replace(unsafe, '')
const escapeUnsafe = (text: string) =>
  text.replace(unsafe, (found) => (found === '\n' ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`))

/** `sallyport ... | head` closes the pipe early: that is no error. */
export function toleratePipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: { code?: string }) => {
      if (error.code !== 'EPIPE') throw error
      process.exit()
    })
  }
}

/** For a verb whose input and output are a session's bytes: nothing else may be printed beside them. */
export const standardStreams = () => ({
  input: process.stdin,
  output: process.stdout,
  // Node never closes it, and whoever reads would wait for an end.
  endOutput: () => void process.stdout.write('', () => closeSync(1)),
})

/** Colours only where the stream is a terminal, and never with NO_COLOR: styleText asks both. */
const styled = (style: Style, text: string, stream: NodeJS.WriteStream) => styleText(style, text, { stream })

/** One line of a result. */
export const print = (line: string): void => void process.stdout.write(`${clean(line)}\n`)
/** One line of progress or explanation. */
export const say = (line: string): void => void process.stderr.write(`${clean(line)}\n`)
/** A result of several lines. */
export const printText = (text: string): void => {
  if (text !== '') for (const line of text.replace(/\n$/, '').split('\n')) print(line)
}
/** Our own text of several lines. */
export const printHelp = (text: string, to: 'stdout' | 'stderr'): void => void process[to].write(text)

let debugging = false
export const startDebugging = (): void => {
  debugging = true
}
export const debug = (line: string): void => {
  if (debugging) process.stderr.write(`${styled('dim', `debug: ${clean(line)}`, process.stderr)}\n`)
}

export function sayProblem(doing: string, problem: Problem): void {
  const { stderr } = process
  stderr.write(`${styled('red', 'sallyport: error:', stderr)} ${clean(`Cannot ${doing}: ${problem.message}`)}\n`)
  stderr.write(`${styled('bold', 'hint:', stderr)} ${clean(problem.hint)}\n`)
}

export function formatOf(given: string | undefined, usual: Format = 'text'): Format {
  if (given === undefined) return usual
  const format = formats.find((one) => one === given)
  if (format) return format
  throw new Problem('usage', `there is no format ${given}`, `use --format=${formats.join(', --format=')}`)
}

/** The same result for people or for programs. */
export async function show(format: Format, data: Json, asText: () => void): Promise<void> {
  if (format === 'json') process.stdout.write(`${escapeUnsafe(JSON.stringify(data, undefined, 2))}\n`)
  else if (format === 'yaml') process.stdout.write(await yamlOf(data))
  else asText()
}

/** The YAML library quotes neither C1 controls nor bidi controls, so strings that hold any are quoted here and escaped. */
export async function yamlOf(data: Json): Promise<string> {
  const { Document, Scalar, visit } = await import('yaml')
  const document = new Document(data, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && node.value.search(unsafe) >= 0) node.type = Scalar.QUOTE_DOUBLE
    },
  })
  return escapeUnsafe(document.toString({ lineWidth: 0 }))
}

export function printFields(fields: readonly (readonly [label: string, value: string])[]): void {
  const width = Math.max(...fields.map(([label]) => label.length)) + 3
  for (const [label, value] of fields) {
    const head = styled('bold', `${label}:`.padEnd(width), process.stdout)
    process.stdout.write(`${head}${clean(value)}\n`)
  }
}

export function printTable(columns: readonly string[], rows: readonly (readonly string[])[]): void {
  const cleaned = rows.map((row) => row.map(clean))
  const widths = columns.map((column, i) => Math.max(column.length, ...cleaned.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  process.stdout.write(`${styled('bold', line(columns), process.stdout)}\n`)
  for (const row of cleaned) process.stdout.write(`${line(row)}\n`)
}

/** Asks where a person can answer. A script that called the verb has answered by calling it. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return true
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${clean(question)} ${styled('bold', '[y/N]', process.stderr)} `)
    return /^y(es)?$/i.test(answer.trim())
  } catch {
    // Ctrl-C and Ctrl-D end the question without an answer.
    return false
  } finally {
    terminal.close()
  }
}

/** The next line of the answer; undefined where there is none any more. */
export type Ask = (question: string) => Promise<string | undefined>

/**
 * Questions whose answers are lines of stdin: of a person, or of a script that reads what was said on stderr. All of them in one, so
 * that lines which came early are not lost.
 * @throws Interrupted on Ctrl-C
 */
export async function asking<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
  const { createInterface } = await import('node:readline')
  const { stdin: input, stderr: output } = process
  const isTerminal = input.isTTY && output.isTTY
  const terminal = createInterface(isTerminal ? { input, output } : { input })
  const lines = terminal[Symbol.asyncIterator]()
  let isInterrupted = false
  terminal.once('SIGINT', () => {
    isInterrupted = true
    terminal.close()
  })
  const ask: Ask = async (question) => {
    if (isTerminal) {
      terminal.setPrompt(`${clean(question)} `)
      terminal.prompt()
    } else say(question)
    const next = await lines.next()
    if (isInterrupted) throw new Interrupted('stopped, nothing was changed')
    return next.done ? undefined : next.value.trim()
  }
  try {
    return await work(ask)
  } finally {
    terminal.close()
  }
}

/**
 * On stderr, where that is a terminal that is wide enough; answers whether. Dark on light whatever the terminal's own colours are;
 * without colours in those, taken for light on dark as most are.
 */
export function sayPicture(draw: (inkIsDark: boolean) => readonly string[]): boolean {
  const { stderr } = process
  const paint = (line: string) => styled(['black', 'bgWhiteBright'], line, stderr)
  const lines = draw(paint(' ') !== ' ')
  if (!stderr.isTTY || stderr.columns < (lines[0]?.length ?? 0)) return false
  for (const line of lines) stderr.write(`${paint(line)}\n`)
  return true
}
