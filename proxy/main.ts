#!/usr/bin/env node
/** The proxy: `sallyport-proxy [start]`. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { minutes } from '../core/model.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { type Admin, serveAdmin } from './admin.ts'
import { type Certificates, certificatesOf, readPem } from './certificates.ts'
import { readSettings, type Settings } from './config.ts'
import { readConfigFile } from './config-file.ts'
import type { World } from './exchange.ts'
import { identityLine, openIdentity } from './identity.ts'
import { limits } from './limits.ts'
import { localCertificates } from './local-ca.ts'
import { countLog } from './metrics.ts'
import { type Serving, serve } from './serve.ts'

const usage = `Usage: sallyport-proxy [start] [--config FILE]  serve one port of TLS in front of the edge
       sallyport-proxy check --config FILE     say what is wrong with a file, and change nothing
       sallyport-proxy identity [--config FILE]  print what the edge registers: {"id", "x"}

FILE is a proxy.yaml; without one, settings: SALLYPORT_PROXY_PORT (3443), SALLYPORT_PROXY_HOST (127.0.0.1,::1),
          SALLYPORT_PROXY_NAMES (localhost), SALLYPORT_HOME (.sallyport), SALLYPORT_EDGE_URL
          (http://localhost:SALLYPORT_EDGE_PORT), SALLYPORT_PUBLIC_URL (the edge's URL), SALLYPORT_PROXY_CERT and
          SALLYPORT_PROXY_KEY (PEM files; without them an authority of this machine: ca.pem and ca.key in
          SALLYPORT_HOME), SALLYPORT_PROXY_TRUST (first-use: believe the keys that the edge shows first; without it no
          session opens), SALLYPORT_PROXY_ADMIN_PORT (/metrics, /healthz, /readyz on 127.0.0.1)
`

const metrics = countLog(({ level, ...line }) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, ...line })}\n`)
})

const world: World = {
  now: () => Date.now(),
  limits,
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  log: metrics.log,
}

const certificatesFor = ({ certificate, home, names }: Settings): Certificates | Promise<Certificates> =>
  certificate ? certificatesOf(certificate, world.now) : localCertificates(world, home, names)

async function start(config: string | undefined): Promise<void> {
  let serving: Serving | undefined
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    // Not listening yet: there is nobody to wait for.
    const stopped = serving?.stop() ?? Promise.resolve()
    void stopped.then(() => process.exit(0))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  // A launcher that is killed must not leave its proxy behind, not even one that is only starting.
  process.on('disconnect', stop)
  if (process.send && !process.connected) stop()
  const settings = settingsOf(config)
  const certificates = await certificatesFor(settings)
  const identity = await openIdentity(world, settings.home)
  serving = await serve({ settings, certificates, identity, world, lookEvery: minutes(1) })
  if (settings.adminPort !== undefined) await serveAdmin(settings.adminPort, adminOf(serving))
  process.stdout.write(`proxy ready ${settings.names.dns[0]}:${settings.port}\n`)
}

const adminOf = ({ trust, sessions, events }: Serving): Admin => ({
  isReady: () => {
    try {
      return trust.fresh() !== undefined
    } catch {
      return false
    }
  },
  metrics: () => metrics.text({ sessions: sessions.count, events_waiting: events.waiting }),
})

/** @throws SetupProblem */
function settingsOf(config: string | undefined): Settings {
  return config === undefined ? readSettings() : readConfigFile(config, readPem(config))
}

/** With the files that it names; what a start would make is not looked for. @throws SetupProblem */
async function checked(config: string | undefined): Promise<Settings> {
  const settings = settingsOf(config)
  if (settings.certificate) await certificatesOf(settings.certificate, world.now).first()
  return settings
}

interface Command {
  readonly verb: 'start' | 'check' | 'identity' | 'help'
  readonly config: string | undefined
}

function parseCommand(): Command | undefined {
  try {
    const options = { help: { type: 'boolean', short: 'h' }, config: { type: 'string' } } as const
    const { values, positionals } = parseArgs({ allowPositionals: true, options })
    const { help, config } = values
    if (help) return { verb: 'help', config }
    const [verb = 'start', ...others] = positionals
    const isVerb = verb === 'start' || verb === 'identity' || (verb === 'check' && config !== undefined)
    return isVerb && others.length === 0 ? { verb, config } : undefined
  } catch {
    return undefined
  }
}

async function main(): Promise<void> {
  const command = parseCommand()
  if (!command) {
    process.stderr.write(usage)
    process.exit(2)
  }
  const { verb, config } = command
  if (verb === 'help') process.stdout.write(usage)
  else if (verb === 'start') await start(config)
  else if (verb === 'check') process.stdout.write(`${(await checked(config)).names.dns[0]}: nothing is wrong with it\n`)
  else process.stdout.write(`${identityLine(await openIdentity(world, settingsOf(config).home))}\n`)
}

main().catch((error: Error) => {
  const help = error instanceof SetupProblem ? `hint: ${error.hint}` : error.stack
  process.stderr.write(`sallyport: error: Cannot start: ${error.message}\n${help}\n`)
  process.exit(1)
})
