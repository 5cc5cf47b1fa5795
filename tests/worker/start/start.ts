/** Starts of the built edge that end by themselves, and what must be the same on the disk after them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import process from 'node:process'
import { afterAll, expect } from 'vitest'
import { freePort, launchServe, newFolder, remove, root } from '../../runtime/launch.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders.splice(0)) remove(folder)
})

/** A path for a home; the test file removes it at its end. */
export function newHome(): string {
  const folder = newFolder()
  folders.push(folder)
  return join(folder, 'home')
}

/** A home that an edge was started on and stopped again. */
export async function usedHome(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const home = newHome()
  const edge = await launchServe('node', { home, env })
  expect(await edge.stop()).toBe(0)
  return home
}

export const databaseOf = (home: string): string => join(home, 'data', 'edge.db')
export const keyOf = (home: string): string => join(home, 'key')

/** Nothing of this machine's own settings gets in. */
const quietEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SALLYPORT_')))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** It is killed where it does not end in time: `patienceMs` from now. */
export function endOf(child: ChildProcess, patienceMs = 20_000): Promise<Ended> {
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    stdout += part
  })
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    stderr += part
  })
  const late = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  return new Promise((done) =>
    child.once('close', (code) => {
      clearTimeout(late)
      done({ code, stdout, stderr })
    }),
  )
}

/** Starts the edge and waits for its end. */
export async function start(env: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<Ended> {
  const serve = join(root, 'dist', 'edge', 'serve.js')
  const given = { SALLYPORT_EDGE_PORT: String(await freePort()), ...env }
  return endOf(
    spawn(process.execPath, [serve, ...args], { env: { ...quietEnv, ...given }, stdio: ['ignore', 'pipe', 'pipe'] }),
  )
}

/** SHA-256 of every file. SQLite's -wal and -shm come and go with each reader. */
export function filesIn(home: string): Record<string, string> {
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => !/-(wal|shm)$/.test(path))
  const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
  return Object.fromEntries(paths.sort().map((path) => [relative(home, path), hashOf(path)]))
}

interface Refused {
  readonly home: string
  readonly env?: Readonly<Record<string, string>>
}

/** The start is refused, says what is the matter and what to do, and has changed no file. */
export async function expectRefusedStart({ home, env = {} }: Refused, what: RegExp, hint: RegExp): Promise<void> {
  const before = filesIn(home)
  const { code, stdout, stderr } = await start({ SALLYPORT_HOME: home, ...env })
  const [first = '', second = '', ...others] = stderr.split('\n')
  expect(first).toMatch(/^sallyport: error: Cannot start: ./)
  expect(first).toMatch(what)
  expect(second).toMatch(/^hint: ./)
  expect(second).toMatch(hint)
  expect({ code, stdout, others }).toEqual({ code: 1, stdout: '', others: [''] })
  expect(filesIn(home)).toEqual(before)
}
