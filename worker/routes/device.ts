/** The device flow's page (RFC 8628 section 3.3), and what its script calls. */
import { operations } from '../../core/api/operations.ts'
import type { DeviceAsk } from '../../core/device-flow-ports.ts'
import { approvalWay } from '../../core/oauth/approval.ts'
import {
  beginDeviceApproval,
  finishDeviceApproval,
  lookAtDevice,
  refuseDevice,
} from '../../core/oauth/device-approval.ts'
import { devicePage } from '../../core/oauth/device-flow.ts'
import { Refusal } from '../../core/refusal.ts'
import type { App, Edge, EdgeContext } from '../edge.ts'
import { limitingFailures, pageCall } from '../page-call.ts'
import { deviceAnsweredPage, deviceAskPage, deviceCodePage, deviceOffPage } from '../pages/device.ts'
import { beginHolder, callerOf, clearSession, findClaim, setSession } from '../principal.ts'
import { signInFirst } from './pages.ts'

export function deviceRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  app.get(devicePage, (c) => showDevice(edge, c))
  pageCall(app, edge, operations.deviceBegin, (c, { user_code: code }) =>
    limitingGuesses(edge, c, () => beginDeviceApproval(site, ports, callerOf(c), beginHolder(c, ports), code)),
  )
  pageCall(app, edge, operations.deviceFinish, (c, { user_code: code, ...answer }) =>
    limitingGuesses(edge, c, async () => {
      const { location, cookie, expiresAt } = await finishDeviceApproval(site, ports, callerOf(c), code, answer)
      setSession(c, cookie, expiresAt, ports.now())
      return { location }
    }),
  )
  pageCall(app, edge, operations.deviceRefuse, (c, { user_code: code }) =>
    limitingGuesses(edge, c, () => refuseDevice(ports, callerOf(c), code)),
  )
}

const wrongGuess: ReadonlySet<string> = new Set(['user_code_unknown'])

/** RFC 8628 section 5.1: tries are bounded for the address, and for the session wherever it goes. */
function limitingGuesses<T>(edge: Edge, c: EdgeContext, work: () => Promise<T>): Promise<T> {
  const whose = `session ${findClaim(c)?.id ?? ''}`
  return limitingFailures(edge, c, edge.userCodes, wrongGuess, () =>
    limitingFailures(edge, c, edge.userCodes, wrongGuess, work, whose),
  )
}

async function showDevice(edge: Edge, c: EdgeContext): Promise<Response> {
  const { assets, ports, site } = edge
  const { cluster } = site
  // An empty box that is sent is no code.
  const typed = c.req.query('user_code') || undefined
  try {
    const { mayUse, ask, ...person } = await limitingGuesses(edge, c, () => lookAtDevice(ports, callerOf(c), typed))
    const { user } = person
    if (!mayUse) return c.html(deviceOffPage(assets, { cluster, user }), 403)
    if (!ask) return c.html(deviceCodePage(assets, { cluster, typed }))
    if (ask.state !== 'waiting') return c.html(deviceAnsweredPage(assets, { cluster, state: ask.state }))
    const way = approvalWay(site, await ports.preferences.current(), person)
    return c.html(deviceAskPage(assets, { cluster, user, ask, way, client: clientName(edge, ask), now: ports.now() }))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (error.code === 'session_missing') return signIn(c)
    if (error.code !== 'user_code_unknown') throw error
    return c.html(deviceCodePage(assets, { cluster, typed }), 404)
  }
}

const clientName = ({ clients }: Edge, { clientId }: DeviceAsk): string => clients.get(clientId)?.name ?? clientId

function signIn(c: EdgeContext): Response {
  if (findClaim(c)) clearSession(c)
  return c.redirect(signInFirst(c))
}
