/** What a captured ClientHello says, as the proxy reads it. */
import { createReadStream } from 'node:fs'
import process from 'node:process'
import { Growing } from '../../core/lib/growing.ts'
import {
  captured,
  type InspectedLine,
  inspect as inspectBytes,
  inspectExits,
  inspectLine,
} from '../../core/route/inspect.ts'
import { SetupProblem } from '../../core/setup-problem.ts'

/** Far more than a hello may have, also in hex and with white space. */
const longest = 256 * 1024

/** `-`: what comes in. 0, or as core/route/inspect.ts says. @throws SetupProblem */
export async function inspect(file: string): Promise<number> {
  const all = new Growing()
  for await (const piece of piecesOf(file)) {
    all.append(piece)
    if (all.length > longest)
      throw new SetupProblem(`${file} is larger than ${longest} bytes`, 'give the bytes of one ClientHello')
  }
  const inspected = inspectBytes(captured(all.bytes))
  process.stdout.write(`${JSON.stringify(inspected)}\n`)
  return inspectExits[inspected.kind]
}

/** One answer for each line, also for one that is none. @throws SetupProblem */
export async function inspectLines(file: string): Promise<number> {
  // Whoever reads the answers may have seen enough.
  process.stdout.once('error', () => process.exit(0))
  const lines = new Lines()
  for await (const piece of piecesOf(file)) await say(lines.push(piece))
  await say(lines.end())
  return 0
}

async function say(answers: readonly InspectedLine[]): Promise<void> {
  if (answers.length === 0) return
  const text = answers.map((answer) => `${JSON.stringify(answer)}\n`).join('')
  if (!process.stdout.write(text)) await new Promise<void>((done) => process.stdout.once('drain', done))
}

/** @throws SetupProblem */
async function* piecesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* file === '-' ? process.stdin : createReadStream(file)
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    throw new SetupProblem(`${file} cannot be read (${code ?? message})`, 'name a file, or - for what comes in', {
      cause: error,
    })
  }
}

const newline = 10

/** Cuts what comes in pieces at its line ends, and keeps no more of a line than it may have. */
class Lines {
  #line = new Growing()
  #isTooLong = false

  push(piece: Uint8Array): InspectedLine[] {
    const answers: InspectedLine[] = []
    let from = 0
    for (let to = piece.indexOf(newline); to >= 0; to = piece.indexOf(newline, from)) {
      this.#append(piece.subarray(from, to))
      answers.push(this.#answer())
      from = to + 1
    }
    this.#append(piece.subarray(from))
    return answers
  }

  /** A last line needs no end. */
  end(): InspectedLine[] {
    return this.#line.length > 0 || this.#isTooLong ? [this.#answer()] : []
  }

  #append(part: Uint8Array): void {
    if (this.#line.length + part.length > longest) this.#isTooLong = true
    if (!this.#isTooLong) this.#line.append(part)
  }

  #answer(): InspectedLine {
    const answer = this.#isTooLong
      ? ({ kind: 'invalid', why: 'line_too_long' } as const)
      : inspectLine(this.#line.bytes)
    this.#line = new Growing()
    this.#isTooLong = false
    return answer
  }
}
