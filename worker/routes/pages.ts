import { Hono } from 'hono'
import { may } from '../../core/access/principal.ts'
import { mayTypeCode } from '../../core/access/session-code.ts'
import { operations } from '../../core/api/operations.ts'
import { sessionTtl } from '../../core/login/ceremony.ts'
import { factorsShown } from '../../core/login/factors.ts'
import { isRemovable } from '../../core/login/passkey-remove.ts'
import { providerOf } from '../../core/login/providers.ts'
import { siteUnder } from '../../core/login/relying-party.ts'
import { stayingOf, takesOnlyCodes, takesPasswords } from '../../core/login/second-factor.ts'
import type { Instant } from '../../core/model.ts'
import { approvalWay } from '../../core/oauth/approval.ts'
import {
  type AuthorizeParameters,
  AuthorizeRefusal,
  type AuthorizeRequest,
  parseAuthorizeRequest,
} from '../../core/oauth/authorize.ts'
import { type Clients, isLoopbackRedirect } from '../../core/oauth/clients.ts'
import { endedBecause } from '../../core/oauth/token.ts'
import type { Account, SessionClaim, Staying } from '../../core/ports.ts'
import { Refusal } from '../../core/refusal.ts'
import { readWaiting, type WaitingIntent } from '../../core/tap/waiting.ts'
import { onceEach } from '../body.ts'
import type { Edge, EdgeContext, Variables } from '../edge.ts'
import { parseNext } from '../next.ts'
import { accountPage } from '../pages/account.ts'
import type { WaitingWay } from '../pages/approval.ts'
import { approvePage, notApprovablePage } from '../pages/approve.ts'
import { authorizePage } from '../pages/authorize.ts'
import { firstAdministratorPage } from '../pages/first-administrator.ts'
import { invitePage } from '../pages/invite.ts'
import { recoverPage } from '../pages/recover.ts'
import { signInPage } from '../pages/sign-in.ts'
import { clearSession, findClaim } from '../principal.ts'

export const pageRoutes = (edge: Edge) => {
  const { site, ports, assets, clients } = edge
  const { cluster, origin } = site
  const signedIn = async <T>(c: EdgeContext, read: Reading<T>) => {
    const claim = findClaim(c)
    const found = claim && (await read(claim, ports.now()))
    if (claim && !found) clearSession(c)
    return found
  }
  const userOf = (c: EdgeContext) => signedIn(c, ports.sessions.find)
  /** By what a request that waits is approved: a code stands in for a tap for sessions alone. */
  const wayFor = async (c: EdgeContext, { purpose }: WaitingIntent): Promise<WaitingWay> => {
    const preference = await ports.preferences.current()
    if (purpose !== 'session' || !takesOnlyCodes(preference)) return 'tap'
    const person = await signedIn(c, ports.factors.find)
    return person && mayTypeCode(preference, person) ? 'code' : 'tap'
  }
  return new Hono<{ Variables: Variables }>()
    .get('/', async (c) => {
      const next = c.req.query('next')
      if (await userOf(c)) return c.redirect(parseNext(next, origin))
      const preference = await ports.preferences.current()
      const { formerRpIds, passwordless } = preference
      const place = next === undefined ? undefined : parseNext(next, origin)
      const taken = { formerRpIds, passwordless, passwords: takesPasswords(preference) }
      const lasts = Math.min(sessionTtl, preference.defaultSessionTtl)
      return c.html(signInPage(assets, { cluster, next: place, ...taken, sessionTtl: lasts }))
    })
    .get('/first-administrator', async (c) => {
      const { exists } = await ports.administrator.state()
      return c.html(firstAdministratorPage(assets, { cluster, open: !exists }))
    })
    .get('/recover', (c) => c.html(recoverPage(assets, { cluster })))
    .get('/account', async (c) => {
      const account = await signedIn(c, ports.sessions.account)
      if (!account) return c.redirect('/?next=/account')
      const [preference, connections] = await Promise.all([
        ports.preferences.current(),
        ports.openSessions.list({ userId: account.user.id }, ports.now()),
      ])
      const factors = factorsShown(site, preference, account)
      const passkeys = passkeysOf(account, stayingOf({ site: siteUnder(site, preference), preference }))
      const seesUsers = may(account, { resource: 'user', verb: 'list' })
      const view = { ...viewOf(account, clients), passkeys, factors, connections, seesUsers }
      return c.html(accountPage(assets, { cluster, ...view, now: ports.now() }))
    })
    .get('/invite', (c) => c.html(invitePage(assets, { cluster })))
    .get('/approve', async (c) => {
      const user = await userOf(c)
      if (!user) return c.redirect(signInFirst(c))
      const { ticket = '', redirect_uri: redirectUri = '', state = '' } = c.req.query()
      if (!isLoopbackRedirect(redirectUri)) throw new Refusal('redirect_invalid')
      const { intent, isOpen } = readWaiting(ports, ticket)
      const why = intent.user !== user.id ? 'another-user' : isOpen ? undefined : 'expired'
      if (why) return c.html(notApprovablePage(assets, { cluster, why }), 403)
      const way = await wayFor(c, intent)
      const asked = { intent, ticket, redirectUri, state, issuer: origin, way, now: ports.now() }
      return c.html(approvePage(assets, { cluster, user, ...asked }))
    })
    .get(operations.authorize.path, async (c) => {
      const given = operations.authorize.query(onceEach(new URL(c.req.url).searchParams, 'authorize_invalid'), 'query')
      const asked = readAuthorize(edge, given)
      if ('location' in asked) return c.redirect(asked.location)
      const person = await signedIn(c, ports.factors.find)
      if (!person) return c.redirect(signInFirst(c))
      const { client, redirectUri, scope, wantsTap } = asked
      const way = approvalWay(site, await ports.preferences.current(), person, wantsTap)
      const { address } = c.get('asking').from
      const shown = { client: client.name, redirectUri, scope, address, way, request: given }
      return c.html(authorizePage(assets, { cluster, user: person.user, ...shown }))
    })
}

type Reading<T> = (claim: SessionClaim, now: Instant) => Promise<T | undefined>

/** A refusal that the client may hear is told at its redirect; any other is a page of ours. */
function readAuthorize({ site, clients }: Edge, given: AuthorizeParameters): AuthorizeRequest | { location: string } {
  try {
    return parseAuthorizeRequest(site, clients, given)
  } catch (error) {
    if (error instanceof AuthorizeRefusal) return { location: error.location }
    throw error
  }
}

export function signInFirst(c: EdgeContext): string {
  const { pathname, search } = new URL(c.req.url)
  return `/?next=${encodeURIComponent(pathname + search)}`
}

const passkeysOf = ({ credentials: all, password }: Account, staying: Staying) =>
  all.map((one) => ({
    ...{ ...one, provider: providerOf(one.aaguid), synced: one.backedUp, works: staying.rpIds.includes(one.rpId) },
    isRemovable: isRemovable(staying, { leaving: one, all, hasPassword: password !== undefined }),
  }))

function viewOf({ user, session, sessions, clientSessions, reset }: Account, clients: Clients) {
  return {
    clientSessions: clientSessions.map(({ clientId, endReason, origin, ...one }) => ({
      ...{ ...one, address: origin.address, place: origin.place, client: clients.get(clientId)?.name ?? clientId },
      because: endReason && endedBecause[endReason],
    })),
    user,
    reset,
    sessions: sessions.map(({ origin, ...one }) => ({ ...one, ...origin, isThisOne: one.id === session.id })),
  }
}
