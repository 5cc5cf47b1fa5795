/** Runs the CLI as people do, with a home of its own. Every process that is started here is ended here. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { onTestFinished } from 'vitest'
import { root } from '../runtime/launch.ts'

export const program = join(root, 'cli', 'main.ts')

const compiled = join(root, 'node_modules', '.cache', 'sallyport-compiled')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Waits until stderr or stdout has it. */
  seen(pattern: RegExp): Promise<RegExpExecArray>
  readonly ended: Promise<Ended>
}

type Input = string | { readonly open: true }

export interface Cli {
  readonly home: string
  /** Of the profiles. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** `input`: all of stdin, or `open` where the test writes it later. */
  start(args: readonly string[], input?: Input): Running
  run(args: readonly string[], input?: string): Promise<Ended>
}

/** Nothing of this machine's own settings gets in. Without a browser: `$BROWSER` is a program that does nothing. */
export function newCli(env: Readonly<Record<string, string>> = {}): Cli {
  const kept = keepCli()
  onTestFinished(kept.end)
  const all = { ...kept.env, ...env }
  const start = (args: readonly string[], input?: Input) => kept.start(args, all, input)
  return { home: kept.home, folder: kept.folder, env: all, start, run: (args, input) => start(args, input).ended }
}

/** The same for several tests of one file: `end` it after the last. `patienceMs`: for which a command may run. */
export function keepCli({ patienceMs = 25_000 } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-cli-'))
  const children: ChildProcess[] = []
  // A person's second command finds its code compiled; each home here is new, so they share what is compiled.
  const base = { PATH: process.env['PATH'] ?? '', HOME: home, BROWSER: '/bin/true', NODE_COMPILE_CACHE: compiled }
  return {
    home,
    folder: join(home, '.config', 'sallyport'),
    env: base,
    start: (args: readonly string[], env: Readonly<Record<string, string>> = {}, input: Input = ''): Running => {
      const child = spawn(process.execPath, [program, ...args], { cwd: home, env: { ...base, ...env }, stdio: 'pipe' })
      children.push(child)
      if (typeof input === 'string') child.stdin.end(input)
      return watch(child, patienceMs)
    },
    end: () => {
      for (const child of children) child.kill('SIGKILL')
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** What a program says. It is killed where it runs for longer than `patienceMs`. */
export function watch(child: ChildProcess, patienceMs: number): Running {
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  const late = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  // Once all that it said is read, which its exit may come before.
  let isOver = false
  const ended = new Promise<Ended>((done) =>
    child.once('close', (code) => {
      isOver = true
      clearTimeout(late)
      done({ code, stdout: stdout(), stderr: stderr() })
    }),
  )
  const seen = async (pattern: RegExp) => {
    for (
      const deadline = Date.now() + 20_000;
      Date.now() < deadline;
      await new Promise((next) => setTimeout(next, 10))
    ) {
      const found = pattern.exec(stderr()) ?? pattern.exec(stdout())
      if (found) return found
      if (isOver) break
    }
    throw new Error(`It did not say ${pattern}:\n${stdout()}\n${stderr()}`)
  }
  return { child, stdout, stderr, seen, ended }
}

function collect(stream: ChildProcess['stdout']): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return () => text
}

/** A program to stand in for the browser: it keeps its arguments, one a line, in the file that is answered. */
export function recordingBrowser(home: string): { program: string; calls: () => string } {
  const [script, record] = [join(home, 'browser.sh'), join(home, 'browser-calls')]
  writeFileSync(script, `#!/bin/sh\nfor one in "$@"; do printf '%s\\n' "$one" >> ${record}; done\n`)
  chmodSync(script, 0o700)
  return { program: script, calls: () => readFileSync(record, 'utf8') }
}

/** A profile that was never signed in, for what reads the file alone. */
export const someProfile = {
  v: 1,
  proxy: 'localhost:3443',
  issuer: 'http://localhost:3080',
  token_endpoint: 'http://localhost:3080/oauth/token',
  revocation_endpoint: 'http://localhost:3080/oauth/revoke',
  key: {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  },
  tokens: { access: 'access-secret', access_expires_at: 0, refresh: 'refresh-secret' },
  who: {
    user: 'alice',
    cluster: 'sallyport',
    roles: ['access', 'editor'],
    auth_time: 1767225600,
    valid_until: 4102444800,
  },
}

export function putProfile(cli: Cli, name = 'localhost_3443', profile: unknown = someProfile): string {
  mkdirSync(cli.folder, { recursive: true, mode: 0o700 })
  const file = join(cli.folder, `${name}.json`)
  writeFileSync(file, typeof profile === 'string' ? profile : JSON.stringify(profile), { mode: 0o600 })
  writeFileSync(join(cli.folder, 'current'), `${name}\n`, { mode: 0o600 })
  return file
}
