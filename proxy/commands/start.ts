/** Serves until it is told to stop. */
import process from 'node:process'
import { type Duration, seconds } from '../../core/model.ts'
import { type Admin, serveAdmin } from '../admin.ts'
import type { Settings } from '../config.ts'
import { descriptorLimit, withinDescriptors } from '../descriptors.ts'
import type { World } from '../exchange.ts'
import { makeExpiries } from '../expiry.ts'
import { openIdentity } from '../identity.ts'
import { limits } from '../limits.ts'
import { countLog } from '../metrics.ts'
import { type OwnCertificates, openOwnCertificates } from '../own-certificates.ts'
import { quieten } from '../quiet-log.ts'
import { keepReloading, type Reloading } from '../reload.ts'
import { type Serving, serve } from '../serve.ts'
import { measuresOf } from '../serving-metrics.ts'
import { settingsOf } from './settings.ts'

const quiet = quieten(({ level, ...line }) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, ...line })}\n`)
})
// Each is counted, also those that are not written.
const metrics = countLog(quiet.log)

const world: World = {
  now: () => Date.now(),
  limits: withinDescriptors(limits, descriptorLimit()),
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  log: metrics.log,
}

const certificatesFor = (settings: Settings): Promise<OwnCertificates> =>
  openOwnCertificates(settings, world, makeExpiries(world.now, world.log))

/** How often the file of --config is looked at. */
const lookAtFile = seconds(1)

interface Running {
  readonly serving: Serving
  readonly reloading: Reloading | undefined
}

/** @throws SetupProblem */
export async function start(config: string | undefined): Promise<void> {
  const stopping = stopOnSignals()
  const settings = settingsOf(config)
  const own = await certificatesFor(settings)
  const identity = await openIdentity(world, settings.home)
  const serving = await serve({ settings, own, identity, world, lookEvery: seconds(10) })
  const reloading = config === undefined ? undefined : reloadOn(config, settings, serving)
  const running = { serving, reloading }
  stopping.is(running, () => (reloading?.settings ?? settings).drain)
  if (settings.adminPort !== undefined) await serveAdmin(settings.adminPort, adminOf(running, stopping.isBegun))
  process.stdout.write(`proxy ready ${settings.names.dns[0]}:${settings.port}\n`)
}

/** SIGTERM gives what is open its whole time; Ctrl-C, and each signal after the first, a few seconds. */
function stopOnSignals() {
  let running: Running | undefined
  let drain = (): Duration => limits.drainMs
  let isBegun = false
  const stop = (after: () => Duration) => {
    const within = isBegun ? limits.drainMs : after()
    isBegun = true
    running?.reloading?.stop()
    // Not listening yet: there is nobody to wait for.
    const stopped = running?.serving.stop(within) ?? Promise.resolve()
    void stopped.then(() => {
      quiet.flush()
      process.exit(0)
    })
  }
  const soon = () => stop(() => limits.drainMs)
  process.on('SIGTERM', () => stop(drain))
  process.on('SIGINT', soon)
  // A launcher that is killed must not leave its proxy behind, not even one that is only starting.
  process.on('disconnect', soon)
  if (process.send && !process.connected) soon()
  return {
    isBegun: () => isBegun,
    is: (what: Running, drainOf: () => Duration) => {
      running = what
      drain = drainOf
    },
  }
}

function reloadOn(file: string, settings: Settings, serving: Serving): Reloading {
  const read = () => settingsOf(file)
  const reloading = keepReloading({ file, settings, read, certificatesFor, serving, log: world.log, every: lookAtFile })
  // Windows has no such signal but when its window is closed.
  if (process.platform !== 'win32') process.on('SIGHUP', () => void reloading.now())
  return reloading
}

const adminOf = ({ serving, reloading }: Running, isStopping: () => boolean): Admin => ({
  whyNotReady: () => {
    if (isStopping()) return 'it is being stopped'
    try {
      serving.trust.fresh()
      return undefined
    } catch {
      return 'the edge was not heard lately'
    }
  },
  metrics: () => metrics.text(measuresOf(serving, reloading, isStopping())),
})
