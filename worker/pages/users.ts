/** Users, and the two things that a page does about them: a link for somebody new, and one for somebody who is there. */
import { html } from 'hono/html'
import type { GivenRole } from '../../core/access/given-role.ts'
import type { UserState } from '../../core/access/users.ts'
import { type Duration, hours, type Instant, minutes } from '../../core/model.ts'
import { type Assets, type Html, heading, needsScript, page, status, terms } from './layout.ts'
import { time } from './times.ts'

export interface UserShown {
  readonly name: string
  readonly isReader: boolean
  readonly roles: readonly string[]
  readonly state: UserState
  /** What the lock names that makes the state `locked`, such as `role:dev`. */
  readonly lockedBy: string | undefined
  readonly passkeys: number
  readonly link: { readonly expiresAt: Instant } | undefined
  readonly createdAt: Instant
}

interface Users {
  readonly cluster: string
  readonly user: { readonly name: string }
  readonly users: readonly UserShown[]
  /** undefined: the reader may invite nobody. */
  readonly roles: readonly GivenRole[] | undefined
  readonly mayReset: boolean
  readonly now: Instant
}

const corner = html`<a class="button" href="/account">Your account</a>`

export const usersPage = (assets: Assets, { cluster, user, users, roles, mayReset, now }: Users): Html =>
  page(assets, {
    cluster,
    title: 'Users',
    script: 'users.js',
    corner,
    body: html`
${heading(`${user.name}, who may sign in to ${cluster}?`, 'Users')}
${status('users-status')}
${needsScript('Only a script can make the key of a link, and ask your browser for a passkey.')}
${(roles || mayReset) && linkPanel}
${roles && inviteSection(roles)}
<section aria-labelledby="there">
<h2 id="there">${users.length === 1 ? 'One user' : `${users.length} users`}</h2>
<ul class="things">${users.map((one) => userItem(one, mayReset, now))}</ul>
</section>
${mayReset && resetDialog}`,
  })

/** Shown once: the private half of its key is in this page and nowhere else. */
const linkPanel = html`
<div id="link" class="panel" hidden>
<h2 id="link-heading" tabindex="-1"><span class="act">A link for</span> <span class="thing" id="link-name"></span></h2>
<p><strong>Give it to this person and to nobody else</strong>, by a way that only they read: whoever opens it first becomes
this user. It works once, until <time id="link-expires"></time>, and is shown only now.</p>
<p><code id="link-text"></code></p>
<p class="actions">
<button class="primary" type="button" id="link-copy">Copy the link</button>
<button type="button" id="link-done">Done</button>
</p>
${status('link-status')}
</div>`

const inviteSection = (roles: readonly GivenRole[]): Html => html`
<section aria-labelledby="invite-heading" id="invite-section">
<h2 id="invite-heading">Invite somebody</h2>
<form id="invite" class="change" method="post" aria-labelledby="invite-heading">
<label for="name">Name</label>
<input id="name" name="name" type="text" required maxlength="64" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="name-hint">
<p class="hint" id="name-hint">As others will see it, such as Grace Hopper.</p>
<fieldset class="choice" id="roles">
<legend>Roles</legend>
${roles.map(roleChoice)}
</fieldset>
${lifetime('invite-ttl', inviteTtls)}
<p class="actions"><button class="primary" type="submit" id="invite-button">Approve with a passkey</button></p>
${status('invite-status')}
</form>
${terms([
  [
    'Next',
    'Your browser asks for a passkey of yours. The tap approves this name with these roles and the link’s key; then you get the link to hand over.',
  ],
  ['To say no', 'Cancel in the browser’s dialog. Nobody is invited before you tap.'],
])}
</section>`

const roleChoice = ({ name, description, administers }: GivenRole): Html => html`
<label><input type="checkbox" name="role" value="${name}">
<span><strong>${name}</strong>${administers && html` <span class="tag">Administers</span>`}${description && html`<br>${description}`}</span></label>`

const inviteTtls = [minutes(30), hours(1), hours(4), hours(24), hours(48)] as const
const resetTtls = [hours(1), hours(8), hours(24)] as const

/** The usual one is the one that the edge takes where none is said. */
function lifetime(id: string, ttls: readonly Duration[]): Html {
  const usual = id === 'invite-ttl' ? hours(1) : hours(8)
  return html`<label for="${id}">The link works for</label>
<select id="${id}">${ttls.map((ttl) => html`<option value="${ttl / 1000}"${ttl === usual && html` selected`}>${inWords(ttl)}</option>`)}</select>`
}

function inWords(ttl: Duration): string {
  if (ttl < hours(1)) return `${ttl / minutes(1)} minutes`
  return ttl === hours(1) ? '1 hour' : `${ttl / hours(1)} hours`
}

const tags: { readonly [state in UserState]: string | undefined } = {
  active: undefined,
  locked: 'Locked',
  invited: 'Invited',
  reset: 'Reset',
  expired: 'Link expired',
  new: 'No link yet',
}

const userItem = (user: UserShown, mayReset: boolean, now: Instant): Html => html`
<li>
<div class="thing-head">
<h3>${user.name}</h3>
${user.isReader && html`<span class="tag">You</span>`}
${tags[user.state] && html`<span class="tag">${tags[user.state]}</span>`}
</div>
<p class="facts">${rolesInWords(user.roles)}<br>
${passkeysInWords(user.passkeys)} · here since ${time(user.createdAt, now)}</p>
${user.lockedBy && html`<p class="facts">By a lock on <code>${user.lockedBy}</code></p>`}
${user.link && html`<p class="facts">A link to register a passkey works until ${time(user.link.expiresAt, now)}</p>`}
${mayReset && !user.isReader && resetButton(user)}
</li>`

function rolesInWords(roles: readonly string[]): string {
  if (roles.length === 0) return 'No role'
  return `${roles.length === 1 ? 'Role' : 'Roles'} ${roles.join(', ')}`
}

function passkeysInWords(count: number): string {
  if (count === 0) return 'No passkey'
  return count === 1 ? 'One passkey' : `${count} passkeys`
}

/** Who has nothing that signs in loses nothing by it. */
function resetButton({ name, passkeys }: UserShown): Html {
  const words = passkeys > 0 ? 'Reset' : 'New link'
  return html`<button type="button" data-reset="${name}" data-act="${words}" aria-label="${words} for ${name}">${words}</button>`
}

const resetDialog = html`
<dialog id="reset" aria-labelledby="reset-heading" aria-describedby="reset-text">
<form id="reset-form" method="post">
<h2 id="reset-heading"><span class="act"><span id="reset-act"></span> for</span> <span class="thing" id="reset-name"></span></h2>
<p class="ask" id="reset-text">All passkeys, passwords, codes and sessions of this user are removed at once, and older links die; roles
stay. Then you get a link to hand over. To approve this, your browser asks for a passkey of yours next.</p>
${lifetime('reset-ttl', resetTtls)}
${status('reset-status')}
<p class="actions">
<button type="button" id="reset-cancel">Cancel</button>
<button class="danger" type="submit" id="reset-button">Approve with a passkey</button>
</p>
</form>
</dialog>`

interface Refused {
  readonly cluster: string
  readonly user: { readonly name: string }
}

/** Nobody's link leads here who may not: so it says what it would take. */
export const usersRefusedPage = (assets: Assets, { cluster, user }: Refused): Html =>
  page(assets, {
    cluster,
    title: 'Not for you',
    corner,
    body: html`
${heading(`${user.name}, on ${cluster}`, 'You do not administer users')}
<p class="lead">No role of yours allows it to list users (user:list), or one denies it.</p>
<p><a class="button" href="/account">Go to your account</a></p>
${terms([
  [
    'If you need it',
    html`Ask an administrator for a role with a rule on <code>user</code>, such as <code>editor</code>.`,
  ],
  ['Your own', 'Passkeys, password and sessions of yours you change on your account page.'],
])}`,
  })
