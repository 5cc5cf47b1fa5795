/** Serves until it is told to stop. */
import process from 'node:process'
import { minutes } from '../../core/model.ts'
import { type Admin, serveAdmin } from '../admin.ts'
import { type Certificates, certificatesOf } from '../certificates.ts'
import type { Settings } from '../config.ts'
import { descriptorLimit, withinDescriptors } from '../descriptors.ts'
import type { World } from '../exchange.ts'
import { openIdentity } from '../identity.ts'
import { limits } from '../limits.ts'
import { localCertificates } from '../local-ca.ts'
import { countLog } from '../metrics.ts'
import { certificateNames } from '../routes.ts'
import { type Serving, serve } from '../serve.ts'
import { settingsOf } from './settings.ts'

const metrics = countLog(({ level, ...line }) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, ...line })}\n`)
})

const world: World = {
  now: () => Date.now(),
  limits: withinDescriptors(limits, descriptorLimit()),
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  log: metrics.log,
}

function certificatesFor(settings: Settings): Certificates | Promise<Certificates> {
  const { certificate, home } = settings
  return certificate
    ? certificatesOf(certificate, world.now)
    : localCertificates(world, home, certificateNames(settings))
}

/** @throws SetupProblem */
export async function start(config: string | undefined): Promise<void> {
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

const adminOf = ({ trust, sessions, relays, events }: Serving): Admin => ({
  isReady: () => {
    try {
      return trust.fresh() !== undefined
    } catch {
      return false
    }
  },
  metrics: () => metrics.text({ sessions: sessions.count, relays: relays.count, events_waiting: events.waiting }),
})
