import { operations } from '../../core/api/operations.ts'
import {
  acceptOffer,
  beginFirstAdministrator,
  checkLink,
  finishFirstAdministrator,
} from '../../core/login/first-administrator.ts'
import { acceptRecoveryOffer, beginRecovery, checkRecovery, finishRecovery } from '../../core/login/recovery.ts'
import type { App, Edge } from '../edge.ts'
import { openPageCall } from '../page-call.ts'
import { beginHolder, callerOf, setSession } from '../principal.ts'

export function administratorRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  openPageCall(app, edge, operations.firstAdministratorCheck, async (c, { secret }) => {
    const { expiresAt } = await checkLink(ports, c.get('asking'), secret)
    return { expires_at: Math.floor(expiresAt / 1000) }
  })
  openPageCall(app, edge, operations.firstAdministratorBegin, async (c, body) =>
    beginFirstAdministrator(site, ports, c.get('asking'), beginHolder(c, ports), body),
  )
  openPageCall(app, edge, operations.firstAdministratorFinish, async (c, body) => {
    const done = await finishFirstAdministrator(site, ports, callerOf(c), body)
    setSession(c, done.cookie, done.expiresAt, ports.now())
    return { location: '/account' }
  })
  openPageCall(app, edge, operations.firstAdministratorOffer, async (c, { proof, ...offered }) => {
    const { expiresAt } = await acceptOffer(site, ports, c.get('asking'), offered, proof)
    return { expires_at: Math.floor(expiresAt / 1000) }
  })
}

export function recoveryRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  openPageCall(app, edge, operations.recoveryCheck, async (c, { secret }) => {
    const { name, isNew, expiresAt } = await checkRecovery(ports, c.get('asking'), secret)
    return { name, is_new: isNew, expires_at: Math.floor(expiresAt / 1000) }
  })
  openPageCall(app, edge, operations.recoveryBegin, async (c, { secret }) =>
    beginRecovery(site, ports, c.get('asking'), beginHolder(c, ports), secret),
  )
  openPageCall(app, edge, operations.recoveryFinish, async (c, body) => {
    const done = await finishRecovery(site, ports, callerOf(c), body)
    setSession(c, done.cookie, done.expiresAt, ports.now())
    return { location: '/account' }
  })
  openPageCall(app, edge, operations.recoveryOffer, async (c, { proof, ...offered }) => {
    const { expiresAt } = await acceptRecoveryOffer(site, ports, c.get('asking'), offered, proof)
    return { expires_at: Math.floor(expiresAt / 1000) }
  })
}
