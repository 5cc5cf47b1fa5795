/** A program that goes on while a test looks at what it says, ended with the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { expect } from 'vitest'
import { atEnd } from '../proxy.ts'

export interface Started {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Waits until it has said that. */
  says(pattern: RegExp): Promise<void>
  readonly ended: Promise<number | null>
}

export function start(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Started {
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  atEnd(() => child.kill('SIGKILL'))
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
  child.stdin.on('error', () => undefined)
  const ended = new Promise<number | null>((done) => child.once('close', done))
  const all = () => stdout() + stderr()
  return { child, stdout, stderr, ended, says: (pattern) => expect.poll(all, { timeout: 30_000 }).toMatch(pattern) }
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return () => text
}
