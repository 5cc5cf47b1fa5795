#!/usr/bin/env node
/** The proxy: `sallyport-proxy [start]`, and what an operator asks it. Each command loads what it needs and no more. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { SetupProblem } from '../core/setup-problem.ts'

const usage = `Usage: sallyport-proxy [start] [--config FILE]  serve one port of TLS in front of the edge
       sallyport-proxy check --config FILE     say what is wrong with a file, and change nothing
       sallyport-proxy explain --config FILE [--sni NAME] [--alpn A,B] [--format=text|json]
                                               say which route a client's hello takes and why, or (exit 3) why none
       sallyport-proxy inspect FILE|-          say what a captured ClientHello holds, binary or hex, as JSON
                                               (exit 3: bytes are missing, exit 4: it is none that is accepted)
       sallyport-proxy inspect --jsonl [FILE|-]  the same for each line {"hex": "1603..."}
       sallyport-proxy identity [--config FILE]  print what the edge registers: {"id", "x"}

FILE is a proxy.yaml; without one, settings: SALLYPORT_PROXY_PORT (3443), SALLYPORT_PROXY_HOST (127.0.0.1,::1),
          SALLYPORT_PROXY_NAMES (localhost), SALLYPORT_HOME (.sallyport), SALLYPORT_EDGE_URL
          (http://localhost:SALLYPORT_EDGE_PORT), SALLYPORT_PUBLIC_URL (the edge's URL), SALLYPORT_PROXY_CERT and
          SALLYPORT_PROXY_KEY (PEM files; without them an authority of this machine: ca.pem and ca.key in
          SALLYPORT_HOME), SALLYPORT_PROXY_TRUST (first-use: believe the keys that the edge shows first; without it no
          session opens), SALLYPORT_PROXY_ADMIN_PORT (/metrics, /healthz, /readyz on 127.0.0.1)
`

const options = {
  help: { type: 'boolean', short: 'h' },
  config: { type: 'string' },
  sni: { type: 'string' },
  alpn: { type: 'string' },
  format: { type: 'string' },
  jsonl: { type: 'boolean' },
} as const

type Option = keyof typeof options

interface Given {
  readonly config?: string
  readonly sni?: string
  readonly alpn?: string
  readonly format?: string
  readonly jsonl?: boolean
  /** The word behind the verb. */
  readonly file?: string
}

/** Answers its exit code; undefined: it goes on. */
type Run = () => Promise<number | undefined>

interface Command {
  /** What stands behind "Cannot" where it fails. */
  readonly doing: string
  readonly takes: readonly (Option | 'file')[]
  /** undefined: it is not called so. */
  readonly of: (given: Given) => Run | undefined
}

const commands = new Map(
  Object.entries<Command>({
    start: { doing: 'start', takes: ['config'], of: startOf },
    check: { doing: 'start', takes: ['config'], of: checkOf },
    identity: { doing: 'start', takes: ['config'], of: identityOf },
    explain: { doing: 'explain', takes: ['config', 'sni', 'alpn', 'format'], of: explainOf },
    inspect: { doing: 'inspect', takes: ['jsonl', 'file'], of: inspectOf },
  }),
)

function startOf({ config }: Given): Run {
  return async () => {
    await (await import('./commands/start.ts')).start(config)
    return undefined
  }
}

function checkOf({ config }: Given): Run | undefined {
  return config === undefined ? undefined : async () => (await import('./commands/check.ts')).check(config)
}

function identityOf({ config }: Given): Run {
  return async () => (await import('./commands/identity.ts')).identity(config)
}

function explainOf({ config, sni, alpn = '', format = 'text' }: Given): Run | undefined {
  if (config === undefined || (format !== 'json' && format !== 'text')) return undefined
  const asked = { config, sni, alpn: alpn === '' ? [] : alpn.split(','), format } as const
  return async () => (await import('./commands/explain.ts')).explain(asked)
}

function inspectOf({ jsonl = false, file }: Given): Run | undefined {
  if (jsonl) return async () => (await import('./commands/inspect.ts')).inspectLines(file ?? '-')
  return file === undefined ? undefined : async () => (await import('./commands/inspect.ts')).inspect(file)
}

type Parsed = { readonly doing: string; readonly run: Run }

function parseCommand(): Parsed | 'help' | undefined {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options })
    const { help, ...given } = values
    if (help) return 'help'
    const [verb = 'start', file, ...others] = positionals
    const command = commands.get(verb)
    const words = [...Object.keys(given), ...(file === undefined ? [] : ['file'])] as readonly (Option | 'file')[]
    if (!command || others.length > 0 || !words.every((word) => command.takes.includes(word))) return undefined
    const run = command.of(file === undefined ? given : { ...given, file })
    return run && { doing: command.doing, run }
  } catch {
    return undefined
  }
}

async function main(): Promise<void> {
  const command = parseCommand()
  if (command === 'help') return void process.stdout.write(usage)
  if (!command) {
    process.stderr.write(usage)
    process.exitCode = 2
    return
  }
  try {
    process.exitCode = await command.run()
  } catch (error) {
    const { message, stack } = error as Error
    const help = error instanceof SetupProblem ? `hint: ${error.hint}` : stack
    process.stderr.write(`sallyport: error: Cannot ${command.doing}: ${message}\n${help}\n`)
    // What was begun must not keep it.
    process.exit(1)
  }
}

await main()
