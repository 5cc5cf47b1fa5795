/**
 * Takes up another configuration while the proxy runs: when it is told to, and when its file has changed. A file that is wrong changes
 * nothing; what cannot change without a restart is told by its name, and stays as it is.
 */
import { statSync } from 'node:fs'
import type { Duration } from '../core/model.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import type { Settings } from './config.ts'
import type { Log } from './log.ts'
import type { OwnCertificates } from './own-certificates.ts'
import type { Serving } from './serve.ts'

export interface Reloading {
  /** Reads the file now. Never rejects. */
  now(): Promise<void>
  stop(): void
  /** How many configurations were taken, the first included. */
  readonly generation: number
  readonly failures: number
  /** That of now. */
  readonly settings: Settings
}

interface Given {
  readonly file: string
  /** With which it was started. */
  readonly settings: Settings
  /** @throws SetupProblem */
  readonly read: () => Settings
  readonly certificatesFor: (settings: Settings) => Promise<OwnCertificates>
  readonly serving: Pick<Serving, 'reload'>
  readonly log: Log
  /** How often the file is looked at. */
  readonly every: Duration
}

/** The fields of proxy.yaml that wait for a restart. Null: it is taken up. */
export const fixedSettings: { readonly [K in keyof Settings]: string | null } = {
  port: 'listen.port',
  hosts: 'listen.hosts',
  listeners: 'listeners, and what comes by listen',
  home: 'home',
  edge: 'edge.url',
  publicUrl: 'edge.public_url',
  trust: 'edge.keys, max_stale, max_offline',
  adminPort: 'admin_port',
  names: null,
  certificate: null,
  certificates: null,
  acme: null,
  maxHello: 'max_hello',
  routes: null,
  databases: null,
  drain: null,
}

export function keepReloading(given: Given): Reloading {
  const { file, log, every } = given
  let [settings, generation, failures] = [given.settings, 1, 0]
  let [seen, before] = [signatureOf(file), '']
  let last = Promise.resolve()

  const take = async () => {
    const read = given.read()
    const next = { ...settings, ...takenOf(read) }
    await given.serving.reload(next, await given.certificatesFor(next))
    const waiting = waitingFor(settings, read)
    settings = next
    generation += 1
    log({ level: 'info', message: 'configuration taken', file, generation })
    if (waiting.length > 0)
      log({
        level: 'warn',
        message: 'restart the proxy for what has changed besides',
        detail: waiting.join(', '),
        file,
      })
  }
  const now = () => {
    seen = signatureOf(file)
    // One after the other, so that the newest is what counts in the end.
    last = last.then(take).catch((error: Error) => {
      failures += 1
      const detail = error instanceof SetupProblem ? error.message : (error.stack ?? String(error))
      log({ level: 'error', message: 'the configuration stays as it was', file, detail, generation })
    })
    return last
  }
  const look = () => {
    const current = signatureOf(file)
    // Twice the same: nobody is writing it just now.
    if (current !== seen && current === before) void now()
    before = current
  }
  const timer = setInterval(look, every).unref()
  return {
    now,
    stop: () => clearInterval(timer),
    get generation() {
      return generation
    },
    get failures() {
      return failures
    },
    get settings() {
      return settings
    },
  }
}

/** Also where it is another one that a link leads to, as Kubernetes replaces what it mounts. */
function signatureOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false })
  return found ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeMs}` : 'none'
}

function takenOf(read: Settings): Partial<Settings> {
  const taken = Object.entries(fixedSettings).filter(([, field]) => field === null)
  return Object.fromEntries(taken.map(([name]) => [name, read[name as keyof Settings]]))
}

function waitingFor(running: Settings, read: Settings): string[] {
  const [before, after] = [running, read].map(withoutPort) as [Settings, Settings]
  const isSame = (name: keyof Settings) => JSON.stringify(before[name]) === JSON.stringify(after[name])
  return Object.entries(fixedSettings).flatMap(([name, field]) =>
    field === null || isSame(name as keyof Settings) ? [] : [field],
  )
}

/** Port and hosts of the first listener have names of their own. */
function withoutPort(settings: Settings): Settings {
  const [first, ...others] = settings.listeners
  return first ? { ...settings, listeners: [{ ...first, port: 0, hosts: [] }, ...others] } : settings
}
