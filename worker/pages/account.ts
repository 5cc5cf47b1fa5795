import { html } from 'hono/html'
import type { FactorsShown } from '../../core/login/factors.ts'
import type { Instant, LoginVia, SessionVia } from '../../core/model.ts'
import { confirmDialog, factorSections } from './factors.ts'
import { type Assets, type Html, heading, needsScript, page, status } from './layout.ts'
import { time } from './times.ts'

interface Passkey {
  readonly id: string
  readonly name: string
  /** What make it says it is. undefined: unknown. */
  readonly provider: string | undefined
  readonly synced: boolean
  readonly isRoot: boolean
  readonly mayVouch: boolean
  readonly fingerprint: string
  readonly createdAt: Instant
  readonly lastUsedAt: Instant | undefined
}

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

interface Account {
  readonly cluster: string
  readonly user: { readonly name: string }
  readonly passkeys: readonly Passkey[]
  readonly factors: FactorsShown
  readonly sessions: readonly Session[]
  readonly clientSessions: readonly ClientSession[]
  /** In the session that the link of a reset opened. */
  readonly reset: { readonly by: string; readonly at: Instant } | undefined
  readonly now: Instant
}

export const accountPage = (
  assets: Assets,
  { cluster, user, passkeys, factors, sessions, clientSessions, reset, now }: Account,
): Html =>
  page(assets, {
    cluster,
    title: 'Your account',
    script: 'account.js',
    corner: html`<button type="button" id="sign-out">Sign out</button>`,
    body: html`
${heading(`Signed in to ${cluster} as`, user.name)}
${status('account-status')}
${needsScript('Only a script can ask your browser for a passkey.')}
${reset && resetNotice(reset, now)}
${advice(factors)}
<section aria-labelledby="passkeys">
<h2 id="passkeys">Passkeys</h2>
${passkeys.length > 0 ? passkeyList(passkeys, now) : firstPasskeyHint}
</section>
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
${removeDialog}
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

/** Each passkey is let in by another one, so the first comes from somebody else. */
const firstPasskeyHint = html`
<p class="hint">You have none. Ask an administrator for a link to register the first one (<code>sallyport admin users reset</code> with
your name; it takes the place of your password and codes); you add the others yourself.</p>`

const passkeyList = (passkeys: readonly Passkey[], now: Instant): Html => html`
<ul class="things">${passkeys.map((passkey) => passkeyItem(passkey, now, passkeys.length > 1))}</ul>
${
  passkeys.length === 1 &&
  html`<p class="hint">The last passkey cannot be removed: another one would have to approve that.</p>`
}
${addForm}`

const passkeyItem = (passkey: Passkey, now: Instant, isRemovable: boolean): Html => html`
<li>
<div class="thing-head">
<h3>${passkey.name}</h3>
${passkey.isRoot && html`<span class="tag">Root</span>`}
</div>
<p class="facts">${keptWhere(passkey)}</p>
<p class="facts">Added ${time(passkey.createdAt, now)}<br>
${passkey.lastUsedAt === undefined ? 'Not used yet' : html`Last used ${time(passkey.lastUsedAt, now)}`}</p>
<details>
<summary>Fingerprint</summary>
<p class="facts"><code>${passkey.fingerprint}</code><br>${standing(passkey)}</p>
</details>
${
  isRemovable &&
  html`<button type="button" data-remove="${passkey.id}" data-name="${passkey.name}" aria-label="Remove ${passkey.name}">Remove</button>`
}
</li>`

function keptWhere({ name, provider, synced }: Passkey): string {
  const kept = synced ? 'Synced between devices' : 'On one device'
  return provider === name ? kept : `${provider ?? 'Unknown make'} · ${kept.toLowerCase()}`
}

function standing({ isRoot, mayVouch }: Passkey): string {
  if (isRoot) return 'A root passkey: trust in this cluster begins with it.'
  return mayVouch ? 'Its tap may let other keys and people in.' : 'Signs you in. It lets nobody else in.'
}

const addForm = html`
<form id="add" method="post" aria-label="Add a passkey">
<label for="name">Name of the new passkey</label>
<input id="name" name="name" type="text" required maxlength="64" autocomplete="off" spellcheck="false" aria-describedby="name-hint">
<p class="hint" id="name-hint">To tell it from the others, such as Phone or Blue key.</p>
<ol class="steps" id="steps">
<li>Tap a passkey you have.</li>
<li>Make the new one.</li>
</ol>
<p class="hint">Nothing is added before both are done: to say no, cancel either.</p>
<p class="actions">
<button class="primary" type="submit" id="add-button">Add a passkey</button>
<button class="primary" type="button" id="make-button" hidden>Make the new passkey</button>
<button type="button" id="add-cancel" hidden>Cancel</button>
</p>
${status('add-status')}
</form>`

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

const removeDialog = html`
<dialog id="remove" aria-labelledby="remove-heading" aria-describedby="remove-text">
<h2 id="remove-heading"><span class="act">Remove the passkey</span> <span class="thing" id="remove-name"></span></h2>
<p class="ask" id="remove-text">It will no longer sign you in, and sessions that it opened end. To approve this, your browser asks for
<strong>another</strong> passkey of yours next.</p>
${status('remove-status')}
<p class="actions">
<button type="button" id="remove-cancel" autofocus>Cancel</button>
<button class="danger" type="button" id="remove-confirm">Remove</button>
</p>
</dialog>`
