/** Servers under test are processes of their own, measured from outside: nothing in them knows of the benchmark. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface, type Interface } from 'node:readline'

const startTimeout = 30_000
const stopTimeout = 5_000
/** USER_HZ, which is 100 wherever Node runs on Linux. */
const ticksASecond = 100

export class Server {
  readonly #child: ChildProcess
  readonly #log: string
  readonly #output: Interface
  readonly #lines: string[] = []

  /** `log` is a file for what it writes to stderr: logging costs the server what it costs anywhere, and the load nothing. */
  constructor(args: readonly string[], env: Record<string, string>, log: string, program = process.execPath) {
    const stderr = openSync(log, 'a')
    const child = spawn(program, args, {
      env: { NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', stderr],
    })
    closeSync(stderr)
    if (!child.stdout) throw new Error('the output of a server is a pipe')
    this.#child = child
    this.#log = log
    this.#output = createInterface({ input: child.stdout })
    this.#output.on('line', (line) => this.#lines.push(line))
  }

  /** Answers what the pattern captures, from the first line of the server's output that it matches. */
  async said(pattern: RegExp): Promise<string> {
    const signal = AbortSignal.timeout(startTimeout)
    for (;;) {
      const found = this.#lines.map((line) => pattern.exec(line)).find((match) => match !== null)
      if (found) return found[1] ?? found[0]
      const ended = once(this.#output, 'close', { signal }).then(() => {
        throw new Error(`the server ended without saying ${pattern}:\n${readFileSync(this.#log, 'utf8')}`)
      })
      await Promise.race([once(this.#output, 'line', { signal }), ended])
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** CPU time of all its threads since its start, in ms. */
  cpu(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'latin1')
    // The name in parentheses may hold spaces; utime and stime are the 14th and 15th fields.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksASecond
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeout)
    this.#child.kill('SIGTERM')
    await exited
    clearTimeout(deadline)
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
