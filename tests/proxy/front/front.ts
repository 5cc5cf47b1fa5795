/** Clients of a listener that say their first bytes as a test wants, from whichever address of loopback, and programs beside them. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cidr, parseCidr } from '../../../core/route/address.ts'
import type { Listener } from '../../../proxy/listeners.ts'
import { atEnd } from '../proxy.ts'

/** A header is required, and these are believed. */
export const requiring = (...trusted: readonly string[]): Pick<Listener, 'proxyProtocol'> => ({
  proxyProtocol: { trusted: trusted.map((range) => parseCidr(range) as Cidr) },
})

export interface Caller {
  readonly socket: Socket
  /** All that came, latin1. */
  readonly said: () => string
  readonly closed: Promise<void>
}

/** `from`: an address of loopback. */
export async function call(port: number, bytes: string | Uint8Array = '', from = '127.0.0.1'): Promise<Caller> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true })
  let said = ''
  socket.setEncoding('latin1').on('data', (part: string) => {
    said += part
  })
  socket.on('error', () => undefined)
  const closed = new Promise<void>((done) => socket.once('close', () => done()))
  atEnd(() => socket.destroy())
  await new Promise<void>((done) => socket.once('connect', done))
  if (bytes.length > 0) socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  return { socket, said: () => said, closed }
}

/** What the proxy answers to bytes until it closes. */
export async function answerTo(port: number, bytes: string | Uint8Array, from?: string): Promise<string> {
  const caller = await call(port, bytes, from)
  await caller.closed
  return caller.said()
}

/** What this machine lacks of these programs; undefined when it has them. */
export function missing(...programs: readonly string[]): string | undefined {
  const lacking = programs.find((program) => spawnSync('which', [program]).status !== 0)
  return lacking === undefined ? undefined : `${lacking} is not installed`
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. `options`: such as its environment. */
export function run(
  program: string,
  args: readonly string[],
  input: string | Uint8Array = '',
  options: Pick<SpawnOptions, 'cwd' | 'env' | 'argv0'> = {},
): Promise<Ran> {
  const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  atEnd(() => child.kill('SIGKILL'))
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('latin1').on('data', (part: string) => {
    said.stdout += part
  })
  child.stderr.setEncoding('latin1').on('data', (part: string) => {
    said.stderr += part
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise((done) => child.once('close', (code) => done({ code, ...said })))
}

/** A server of another program, ended with the test. Answers once it accepts on that port. */
export async function serving(
  port: number,
  program: string,
  args: readonly string[],
  { patienceMs = 60_000, ...options }: Pick<SpawnOptions, 'argv0'> & { readonly patienceMs?: number } = {},
): Promise<ChildProcess> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('latin1').on('data', (part: string) => {
      said += part
    })
  }
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  atEnd(() => {
    // Such as nginx: what is killed at once leaves its children behind.
    child.kill('SIGTERM')
    return ended
  })
  for (const deadline = Date.now() + patienceMs; !(await accepts(port)); await sleep(50)) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${program} does not serve:\n${said}`)
  }
  return child
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => done(true))
    socket.once('error', () => done(false)).once('connect', () => socket.destroy())
  })
}
