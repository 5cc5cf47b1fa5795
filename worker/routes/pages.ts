import { Hono } from 'hono'
import { providerOf } from '../../core/login/providers.ts'
import type { Account } from '../../core/ports.ts'
import type { Edge, EdgeContext, Variables } from '../edge.ts'
import { parseNext } from '../next.ts'
import { accountPage } from '../pages/account.ts'
import { firstAdministratorPage } from '../pages/first-administrator.ts'
import { signInPage } from '../pages/sign-in.ts'
import { clearSession, findClaim } from '../principal.ts'

export const pageRoutes = (edge: Edge) => {
  const { site, ports, assets } = edge
  const { cluster, origin } = site
  const accountOf = async (c: EdgeContext) => {
    const claim = findClaim(c)
    const account = claim && (await ports.sessions.account(claim, ports.now()))
    if (claim && !account) clearSession(c)
    return account
  }
  return new Hono<{ Variables: Variables }>()
    .get('/', async (c) => {
      const next = c.req.query('next')
      if (await accountOf(c)) return c.redirect(parseNext(next, origin))
      return c.html(signInPage(assets, { cluster, next: next === undefined ? undefined : parseNext(next, origin) }))
    })
    .get('/first-administrator', async (c) => {
      const { exists } = await ports.administrator.state()
      return c.html(firstAdministratorPage(assets, { cluster, open: !exists }))
    })
    .get('/account', async (c) => {
      const account = await accountOf(c)
      if (!account) return c.redirect('/?next=/account')
      return c.html(accountPage(assets, { cluster, ...viewOf(account), now: ports.now() }))
    })
}

function viewOf({ user, session, credentials, sessions }: Account) {
  return {
    user,
    passkeys: credentials.map((one) => ({ ...one, provider: providerOf(one.aaguid), synced: one.backedUp })),
    sessions: sessions.map(({ origin, ...one }) => ({ ...one, ...origin, isThisOne: one.id === session.id })),
  }
}
