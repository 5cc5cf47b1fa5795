import { operations } from '../../core/api/operations.ts'
import { beginPasskeyLogin, finishPasskeyLogin } from '../../core/login/passkey-login.ts'
import { beginPasswordLogin, finishPasswordLogin } from '../../core/login/password-login.ts'
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
  openPageCall(app, edge, operations.passwordLoginBegin, async (c, { name }) =>
    beginPasswordLogin(site, ports, callerOf(c), beginHolder(c, ports), name),
  )
  openPageCall(app, edge, operations.passwordLoginFinish, async (c, { next, recovery_code, ...given }) => {
    const answer = { ...given, recoveryCode: recovery_code }
    const done = await finishPasswordLogin(site, ports, callerOf(c), answer)
    setSession(c, done.cookie, done.expiresAt, ports.now())
    return { location: parseNext(next, site.origin) }
  })
}
