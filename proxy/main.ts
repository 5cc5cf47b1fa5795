#!/usr/bin/env node
/** The proxy: `sallyport-proxy [start]`. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { minutes } from '../core/model.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { type Certificates, certificatesOf } from './certificates.ts'
import { readSettings, type Settings } from './config.ts'
import type { World } from './exchange.ts'
import { limits } from './limits.ts'
import { localCertificates } from './local-ca.ts'
import { type Serving, serve } from './serve.ts'

const usage = `Usage: sallyport-proxy [start]  serve one port of TLS in front of the edge

Settings: SALLYPORT_PROXY_PORT (3443), SALLYPORT_PROXY_HOST (127.0.0.1,::1), SALLYPORT_PROXY_NAMES (localhost),
          SALLYPORT_HOME (.sallyport), SALLYPORT_EDGE_URL (http://localhost:SALLYPORT_EDGE_PORT),
          SALLYPORT_PUBLIC_URL (the edge's URL), SALLYPORT_PROXY_CERT and SALLYPORT_PROXY_KEY (PEM files; without them
          an authority of this machine: ca.pem and ca.key in SALLYPORT_HOME)
`

const world: World = {
  now: () => Date.now(),
  limits,
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  log: ({ level, ...line }) =>
    process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, ...line })}\n`),
}

const certificatesFor = ({ certificate, home, names }: Settings): Certificates | Promise<Certificates> =>
  certificate ? certificatesOf(certificate, world.now) : localCertificates(world, home, names)

async function start(): Promise<void> {
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
  const settings = readSettings()
  const certificates = await certificatesFor(settings)
  serving = await serve({ settings, certificates, world, lookEvery: minutes(1) })
  process.stdout.write(`proxy ready ${settings.names.dns[0]}:${settings.port}\n`)
}

type Command = 'start' | 'help'

function parseCommand(): Command | undefined {
  try {
    const options = { help: { type: 'boolean', short: 'h' } } as const
    const { values, positionals } = parseArgs({ allowPositionals: true, options })
    if (values.help) return 'help'
    const [verb = 'start', ...others] = positionals
    return verb === 'start' && others.length === 0 ? 'start' : undefined
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
  if (command === 'help') process.stdout.write(usage)
  else await start()
}

main().catch((error: Error) => {
  const help = error instanceof SetupProblem ? `hint: ${error.hint}` : error.stack
  process.stderr.write(`sallyport: error: Cannot start: ${error.message}\n${help}\n`)
  process.exit(1)
})
