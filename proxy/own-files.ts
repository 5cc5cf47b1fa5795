/** Files of the proxy's own in SALLYPORT_HOME: private, and never seen half written. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import type { Json } from '../core/intent.ts'
import { SetupProblem } from '../core/setup-problem.ts'

export const notWritable = (folder: string, cause: Error) =>
  new SetupProblem(
    `the data folder ${folder} cannot be written (${cause.message})`,
    'make it writable, or set SALLYPORT_HOME to another folder',
    { cause },
  )

/** Windows has no such permissions. @throws SetupProblem */
export function requirePrivate(file: string): void {
  if (process.platform === 'win32' || (statSync(file).mode & 0o077) === 0) return
  throw new SetupProblem(`${file} can be read by others than its owner`, `run "chmod 600 ${file}"`)
}

/**
 * Beside it, and nobody else's: containers that share a volume all run as process 1, and what is linked into place must not be
 * written again under its draft's name.
 */
export const draftOf = (file: string): string => `${file}.${crypto.randomUUID()}`

/** In place of the one before, whole or not at all. Throws what the file system throws. */
export function replaceFile(file: string, content: string): void {
  const draft = draftOf(file)
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(draft, content, { mode: 0o600, flush: true })
    renameSync(draft, file)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** undefined: there is none. @throws SetupProblem where it cannot be read, or is no JSON */
export function readJsonFile(file: string): Json | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Json
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw new SetupProblem(`${file} cannot be read (${(error as Error).message})`, 'remove it, or put it back', {
      cause: error,
    })
  }
}
