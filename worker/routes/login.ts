import { operations } from '../../core/api/operations.ts'
import { beginPasskeyLogin, finishPasskeyLogin } from '../../core/login/passkey-login.ts'
import type { App, Edge } from '../edge.ts'
import { parseNext } from '../next.ts'
import { openPageCall } from '../page-call.ts'
import { beginHolder, callerOf, setSession } from '../principal.ts'

export function loginRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  openPageCall(app, edge, operations.loginBegin, async (c, { rp_id }) =>
    beginPasskeyLogin(site, ports, beginHolder(c, ports), rp_id),
  )
  openPageCall(app, edge, operations.loginFinish, async (c, { next, ...given }) => {
    const { cookie, expiresAt } = await finishPasskeyLogin(site, ports, callerOf(c), given)
    setSession(c, cookie, expiresAt, ports.now())
    return { location: parseNext(next, site.origin) }
  })
}
