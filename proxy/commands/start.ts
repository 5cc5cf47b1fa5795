/** Serves until it is told to stop. */
import process from 'node:process'
import { seconds } from '../../core/model.ts'
import { type Admin, serveAdmin } from '../admin.ts'
import type { World } from '../exchange.ts'
import { makeExpiries } from '../expiry.ts'
import { openIdentity } from '../identity.ts'
import { limits } from '../limits.ts'
import { countLog } from '../metrics.ts'
import { openOwnCertificates } from '../own-certificates.ts'
import { type Serving, serve } from '../serve.ts'
import { settingsOf } from './settings.ts'

const metrics = countLog(({ level, ...line }) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, ...line })}\n`)
})

const world: World = {
  now: () => Date.now(),
  limits,
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  log: metrics.log,
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
  const own = await openOwnCertificates(settings, world, makeExpiries(world.now, world.log))
  const identity = await openIdentity(world, settings.home)
  serving = await serve({ settings, own, identity, world, lookEvery: seconds(10) })
  if (settings.adminPort !== undefined) await serveAdmin(settings.adminPort, adminOf(serving))
  process.stdout.write(`proxy ready ${settings.names.dns[0]}:${settings.port}\n`)
}

const adminOf = ({ trust, sessions, relays, events, certificates }: Serving): Admin => ({
  isReady: () => {
    try {
      return trust.fresh() !== undefined
    } catch {
      return false
    }
  },
  metrics: () =>
    metrics.text({
      sessions: sessions.count,
      relays: relays.count,
      events_waiting: events.waiting,
      certificate_expires_seconds: certificates.expiries(),
    }),
})
