import { html } from 'hono/html'
import type { FactorsShown } from '../../core/login/factors.ts'
import type { Instant, LoginVia, SessionVia } from '../../core/model.ts'
import { confirmDialog, factorSections } from './factors.ts'
import { type Assets, type Html, heading, needsScript, page, status } from './layout.ts'
import { type Passkey, passkeySection, removeDialog } from './passkeys.ts'
import { time } from './times.ts'

interface Session {
  readonly id: string
  readonly via: SessionVia
  readonly browser: string
  readonly address: string
  /** Empty where the platform does not tell. */
  readonly place: string
  readonly openedAt: Instant
  readonly lastSeenAt: Instant
  readonly expiresAt: Instant
  readonly isThisOne: boolean
}

interface ClientSession {
  readonly id: string
  /** The program's name. */
  readonly client: string
  readonly address: string
  readonly place: string
  readonly via: LoginVia
  readonly tapped: boolean
  readonly authenticatedAt: Instant
  readonly expiresAt: Instant
  /** undefined: it runs. */
  readonly endedAt: Instant | undefined
  readonly because: string | undefined
}

/** A session that is open on a resource. */
interface Connected {
  readonly id: string
  readonly resource: { readonly kind: string; readonly name: string }
  /** As whom; may be empty. */
  readonly principal: string
  readonly impersonated: string | undefined
  readonly proxy: string
  readonly address: string
  readonly openedAt: Instant
}

interface Account {
  readonly cluster: string
  readonly user: { readonly name: string }
  readonly passkeys: readonly Passkey[]
  readonly factors: FactorsShown
  readonly sessions: readonly Session[]
  readonly clientSessions: readonly ClientSession[]
  readonly connections: readonly Connected[]
  /** In the session that the link of a reset opened. */
  readonly reset: { readonly by: string; readonly at: Instant } | undefined
  /** Whether the page about users shows this user any. */
  readonly seesUsers: boolean
  readonly now: Instant
}

export const accountPage = (
  assets: Assets,
  { cluster, user, passkeys, factors, sessions, clientSessions, connections, reset, seesUsers, now }: Account,
): Html =>
  page(assets, {
    cluster,
    title: 'Your account',
    script: 'account.js',
    corner: html`${seesUsers && html`<a class="button" href="/users">Users</a>`}<button type="button" id="sign-out">Sign out</button>`,
    body: html`
${heading(`Signed in to ${cluster} as`, user.name)}
${status('account-status')}
${needsScript('Only a script can ask your browser for a passkey.')}
${reset && resetNotice(reset, now)}
${advice(factors)}
${passkeySection({ passkeys, factors, now })}
${factorSections({ user, factors, now })}
<section aria-labelledby="sessions">
<h2 id="sessions">Sessions</h2>
<p class="hint">Browsers that are signed in as you. End one that you do not know, then remove
the passkey that opened it. One that asks for nothing for an hour ends by itself.</p>
<ul class="things">${thisOneFirst(sessions).map((session) => sessionItem(session, now))}</ul>
${status('sessions-status')}
</section>
<section aria-labelledby="programs">
<h2 id="programs">Programs</h2>
<p class="hint">Programs that you let act for you, such as the <code>sallyport</code> command. End one that you do not know.</p>
${
  clientSessions.length === 0
    ? html`<p class="facts">None is signed in.</p>`
    : html`<ul class="things">${clientSessions.map((session) => clientSessionItem(session, now))}</ul>`
}
${status('programs-status')}
</section>
<section aria-labelledby="connections">
<h2 id="connections">Connections</h2>
<p class="hint">What is open in your name through proxies, such as databases and hosts. End one that you do not know, then the
program that opened it.</p>
${
  connections.length === 0
    ? html`<p class="facts">None is open.</p>`
    : html`<ul class="things">${connections.map((connection) => connectionItem(connection, now))}</ul>`
}
${status('connections-status')}
</section>
${removeDialog(factors)}
${confirmDialog(factors)}`,
  })

const resetNotice = ({ by, at }: { readonly by: string; readonly at: Instant }, now: Instant): Html => html`
<aside class="notice" aria-label="Your reset">
<p><strong>You were reset by ${by}</strong> (${time(at, now)}): whatever passkeys, password and codes you had here were removed, and
you were signed out everywhere. If a passkey of yours let others in, the new one does not. You asked for nothing of that? Tell an administrator.</p>
</aside>`

const notice = (text: Html): Html => html`<aside class="notice" aria-label="Advice"><p>${text}</p></aside>`

function advice({ ways, passkeys }: FactorsShown): Html | '' {
  if (ways === 'several') return ''
  if (ways === 'none') return outNotice
  return passkeys > 0 ? secondPasskeyNotice : secondFactorNotice
}

const secondPasskeyNotice =
  notice(html`<strong>Add a second passkey.</strong> You have one. If it is lost, you cannot sign
in any more. A second one on another device, or a security key in a drawer, lets you in again.`)

const secondFactorNotice =
  notice(html`<strong>Make recovery codes.</strong> One thing lets you in besides your password. If it
is lost, you cannot sign in any more. Codes on paper let you in again; an administrator can let you register a passkey.`)

const outNotice =
  notice(html`<strong>You could not sign in again.</strong> This cluster takes none of what you have. Ask an
administrator before this session ends.`)

const thisOneFirst = (sessions: readonly Session[]) =>
  sessions.toSorted((a, b) => Number(b.isThisOne) - Number(a.isThisOne))

const shownFor: { readonly [via in SessionVia]: string } = {
  passkey: 'Signed in with a passkey',
  password: 'Signed in with the password alone',
  'password+passkey': 'Signed in with password and passkey',
  'password+otp': 'Signed in with password and code',
  'password+recovery': 'Signed in with password and recovery code',
}

const sessionItem = (session: Session, now: Instant): Html => html`
<li>
<div class="thing-head">
<h3>${session.browser}</h3>
${session.isThisOne && html`<span class="tag">This browser</span>`}
</div>
<p class="facts">${session.place && html`${session.place}<br>`}<span class="address">${session.address}</span></p>
<p class="facts">${shownFor[session.via]}<br>
Since ${time(session.openedAt, now)}<br>
Last seen ${time(session.lastSeenAt, now)}<br>
Ends ${time(session.expiresAt, now)} at the latest</p>
${
  !session.isThisOne &&
  html`<button type="button" data-end="${session.id}" aria-label="End the session of ${session.browser}">End</button>`
}
</li>`

const clientSessionItem = (session: ClientSession, now: Instant): Html => html`
<li>
<div class="thing-head">
<h3>${session.client}</h3>
${session.via === 'device_flow' && html`<span class="tag">Headless</span>`}
${!session.tapped && html`<span class="tag">By a code</span>`}
${session.endedAt !== undefined && html`<span class="tag">Ended</span>`}
</div>
<p class="facts">${session.place && html`${session.place}<br>`}<span class="address">${session.address}</span></p>
<p class="facts">Since ${time(session.authenticatedAt, now)}<br>
${session.endedAt === undefined ? html`Ends ${time(session.expiresAt, now)}` : html`Ended ${time(session.endedAt, now)}`}</p>
${session.because && html`<p class="notice">${session.because}</p>`}
${
  session.endedAt === undefined &&
  html`<button type="button" data-end-program="${session.id}" aria-label="End the login of ${session.client}">End</button>`
}
</li>`

const connectionItem = (
  { id, resource: { kind, name }, principal, impersonated, proxy, address, openedAt }: Connected,
  now: Instant,
): Html => html`
<li>
<div class="thing-head">
<h3>${name}</h3>
<span class="tag">${kind.replaceAll('_', ' ')}</span>
</div>
<p class="facts">${principal && html`As ${principal}<br>`}${impersonated !== undefined && html`With the rights of ${impersonated}<br>`}<span class="address">${address}</span> through ${proxy}</p>
<p class="facts">Since ${time(openedAt, now)}</p>
<button type="button" data-end-connection="${id}" aria-label="End the connection to ${name}">End</button>
</li>`
