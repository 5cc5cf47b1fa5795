/** The account page's sections for passwords, authenticator apps and recovery codes. */
import { html } from 'hono/html'
import type { FactorsShown } from '../../core/login/factors.ts'
import { recoveryCodes } from '../../core/login/recovery-code.ts'
import type { Instant } from '../../core/model.ts'
import { type Html, passwordBox, status } from './layout.ts'
import { time } from './times.ts'

interface About {
  readonly user: { readonly name: string }
  readonly factors: FactorsShown
  readonly now: Instant
}

/** Only what the preference takes is offered. What is there and not taken any more is shown, so that it can be removed. */
export function factorSections(about: About): Html {
  const { passwords, factors, passwordChangedAt, totps } = about.factors
  const takesCodes = passwords && factors.includes('otp')
  return html`
${(passwords || passwordChangedAt !== undefined) && passwordSection(about)}
${(takesCodes || totps.length > 0) && appSection(about, takesCodes)}
${takesCodes && recoverySection(about)}`
}

/** Without a passkey only a password shows that it is he: where those are not taken, nothing does. */
const canProve = (factors: FactorsShown): boolean => mayTap(factors) || factors.passwords

const mayTap = ({ passkeys, securityKeys }: FactorsShown): boolean => passkeys + securityKeys > 0

const passwordSection = ({ user, factors, now }: About): Html => {
  const { passwords, passwordChangedAt } = factors
  return html`
<section aria-labelledby="password">
<h2 id="password">Password</h2>
<p class="facts">${passwordChangedAt === undefined ? 'You have none.' : html`Set ${time(passwordChangedAt, now)}`}</p>
${!passwords && html`<p class="hint">Passwords are not used here any more: yours signs nobody in.</p>`}
${passwords && passwordForm(user.name, passwordChangedAt !== undefined)}
${passwordChangedAt !== undefined && passwordRemoval(factors)}
${status('password-status')}
</section>`
}

function passwordRemoval(factors: FactorsShown): Html | '' {
  if (factors.needed.password) return html`<p class="hint">It cannot be removed: without it you could not sign in.</p>`
  if (!canProve(factors)) return ''
  return html`<p class="after"><button type="button" id="password-remove">Remove the password</button></p>`
}

/** The name is there for password managers, which keep the new password under it. */
const passwordForm = (name: string, isSet: boolean): Html => html`
<form id="password-form" class="change" method="post" aria-label="${isSet ? 'Change the password' : 'Set a password'}">
<input type="text" name="name" autocomplete="username" value="${name}" readonly hidden>
<label for="new-password">New password</label>
${passwordBox(html`<input id="new-password" name="password" type="password" required maxlength="1024" autocomplete="new-password" aria-describedby="new-password-hint">`)}
<p class="hint" id="new-password-hint">At least 12 characters that nobody would guess: let a password manager make it, or use four
unrelated words. It is asked for together with ${isSet ? 'your' : 'a'} second factor.</p>
<p class="actions"><button type="submit" id="password-set">${isSet ? 'Change the password' : 'Set a password'}</button></p>
</form>`

const appSection = ({ factors, now }: About, takesCodes: boolean): Html => {
  const { totps, needed } = factors
  const isRemovable = !needed.totp && canProve(factors)
  return html`
<section aria-labelledby="apps">
<h2 id="apps">Authenticator apps</h2>
<p class="hint">${
    takesCodes
      ? 'An app on your phone shows a new code every half minute. With your password, a code signs you in where you have no passkey at hand.'
      : 'Codes are not used here any more: these sign nobody in.'
  }</p>
${totps.length > 0 && html`<ul class="things">${totps.map((totp) => appItem(totp, now, isRemovable))}</ul>`}
${totps.length > 0 && needed.totp && html`<p class="hint">The last app cannot be removed: without it you could not sign in.</p>`}
${takesCodes && appForm}
${takesCodes && appSetup}
${status('apps-status')}
</section>`
}

const appItem = (
  { id, name, createdAt, lastUsedAt }: FactorsShown['totps'][number],
  now: Instant,
  isRemovable: boolean,
) =>
  html`
<li>
<div class="thing-head"><h3>${name}</h3></div>
<p class="facts">Added ${time(createdAt, now)}<br>
${lastUsedAt === undefined ? 'Not used yet' : html`Last used ${time(lastUsedAt, now)}`}</p>
${
  isRemovable &&
  html`<button type="button" data-app="${id}" data-name="${name}" aria-label="Remove ${name}">Remove</button>`
}
</li>`

const appForm = html`
<form id="app-form" class="change" method="post" aria-label="Add an authenticator app">
<label for="app-name">Name of the new app</label>
<input id="app-name" name="name" type="text" required maxlength="64" autocomplete="off" spellcheck="false" aria-describedby="app-name-hint">
<p class="hint" id="app-name-hint">To tell it from the others, such as Phone.</p>
<p class="actions"><button type="submit" id="app-begin">Add an authenticator app</button></p>
</form>`

const appSetup = html`
<div id="app-setup" class="panel" hidden>
<h3 id="app-setup-heading" tabindex="-1">Scan this with the app</h3>
<div id="app-qr"></div>
<p><a id="app-link">Open it in an app on this device</a></p>
<p>Or type this key into the app: <code id="app-secret"></code></p>
<p class="actions"><button type="button" id="app-copy">Copy the key</button></p>
<form id="app-code-form" class="change" method="post" aria-label="Confirm the app">
<label for="app-code">Code that the app shows now</label>
<input id="app-code" class="digits" type="text" required maxlength="16" inputmode="numeric" autocomplete="off" spellcheck="false">
<p class="actions">
<button class="primary" type="submit" id="app-add">Add the app</button>
<button type="button" id="app-cancel">Cancel</button>
</p>
</form>
${status('app-setup-status')}
</div>`

const recoverySection = ({ factors: { recoveryCodes: left } }: About): Html => html`
<section aria-labelledby="recovery">
<h2 id="recovery">Recovery codes</h2>
<p class="facts" id="codes-left">${left === 0 ? 'You have none.' : `${left} of ${recoveryCodes} are left.`}</p>
<p class="hint">For the day when phone and keys are lost: with your password, each signs you in once. Keep them on paper, not on the
phone.${left > 0 && ' New ones make those that you have worthless.'}</p>
<p class="after"><button type="button" id="codes-make">${left === 0 ? 'Make recovery codes' : 'Make new recovery codes'}</button></p>
${status('codes-status')}
<div id="codes" class="panel" hidden>
<h3 id="codes-heading" tabindex="-1">Keep these now</h3>
<p>They are never shown again. Each works once.</p>
<ol id="codes-list"></ol>
<p class="actions">
<button type="button" id="codes-copy">Copy</button>
<button type="button" id="codes-print">Print</button>
<button class="primary" type="button" id="codes-done">I have kept them</button>
</p>
</div>
</section>`

/** Says what is about to change. Who has no passkey to tap with confirms it here by what he types. */
export function confirmDialog(factors: FactorsShown): Html {
  const [taps, { totps }] = [mayTap(factors), factors]
  return html`
<dialog id="confirm" aria-labelledby="confirm-heading" aria-describedby="confirm-text" data-proof="${taps ? 'tap' : 'password'}">
<form id="confirm-form" method="post">
<h2 id="confirm-heading"><span class="act" id="confirm-act"></span> <span class="thing" id="confirm-thing"></span></h2>
<p class="ask"><span id="confirm-text"></span>
${taps ? 'To approve this, your browser asks for a passkey next.' : 'To approve this, show that it is you.'}</p>
${
  !taps &&
  html`
<label for="current-password">Your password</label>
<input id="current-password" type="password" required maxlength="1024" autocomplete="current-password">`
}
${
  !taps &&
  totps.length > 0 &&
  html`
<label for="current-code">Code from your app, or a recovery code</label>
<input id="current-code" type="text" required maxlength="64" autocomplete="one-time-code" autocapitalize="none" spellcheck="false">`
}
${status('confirm-status')}
<p class="actions">
<button type="button" id="confirm-cancel">Cancel</button>
<button type="submit" id="confirm-button"></button>
</p>
</form>
</dialog>`
}
