import { html } from 'hono/html'
import { type Duration, hours, minutes, seconds } from '../../core/model.ts'
import { type Assets, type Html, heading, needsScript, page, passwordBox, status, terms } from './layout.ts'

interface SignIn {
  readonly cluster: string
  /** A local path, checked, or undefined for the account page. */
  readonly next: string | undefined
  /** Names of before whose passkeys still work: a browser looks for those of one name at a time. */
  readonly formerRpIds: readonly string[]
  /** Whether a passkey alone signs in. */
  readonly passwordless: boolean
  readonly passwords: boolean
  /** How long a session lasts here at most; a role may say less. */
  readonly sessionTtl: Duration
}

const home = '/account'

export const signInPage = (
  assets: Assets,
  { cluster, next, formerRpIds, passwordless, passwords, sessionTtl }: SignIn,
): Html =>
  page(assets, {
    cluster,
    title: 'Sign in',
    script: 'sign-in.js',
    body: html`
${heading('Sign in to', cluster)}
<div id="first" class="step" data-next="${next ?? ''}">
${passwordless && passkeyPart(formerRpIds)}
${passwords && passwordPart(passwordless)}
</div>
${passwords && secondPart}
${needsScript('Only a script can ask your browser for a passkey.')}
${terms([
  ['Next', html`${whatIsAsked(passwordless, passwords)} ${thenSignedIn(next, sessionTtl)}`],
  ['To say no', 'Cancel in the browser’s dialog, or close this page. Nothing changes.'],
  passwordless ? anotherDevice : anotherWay,
])}`,
  })

const anotherDevice = [
  'Another device',
  'A passkey on your phone or a security key works too: choose it in the browser’s dialog. If all are lost, ask an administrator.',
] as const

const anotherWay = ['Lost something?', 'If password or second factor are lost, ask an administrator.'] as const

const passkeyPart = (formerRpIds: readonly string[]): Html => html`
<p class="lead">Show that it is you with a passkey that you registered here.</p>
<button class="primary" type="button" id="sign-in">Sign in with a passkey</button>
${formerRpIds.length > 0 && formerPart(formerRpIds)}
${status('sign-in-status')}`

const formerPart = (rpIds: readonly string[]): Html => html`
<div class="formers">
<p class="hint">Made yours when this cluster had another name?</p>
${rpIds.map((id) => html`<button type="button" class="former" data-rp-id="${id}">Use a passkey of ${id}</button>`)}
</div>`

/** Browsers offer passkeys in the name's box too, where they can. */
const passwordPart = (passwordless: boolean): Html => html`
${!passwordless && html`<p class="lead">Your password first, then your second factor.</p>`}
<form id="password-form" method="post" aria-label="Sign in with your password">
${passwordless && html`<h2>Or with your password</h2>`}
<label for="name">Name</label>
<input id="name" name="username" type="text" required maxlength="256" autocomplete="${passwordless ? 'username webauthn' : 'username'}" autocapitalize="none" spellcheck="false">
<label for="password">Password</label>
${passwordBox(html`<input id="password" name="password" type="password" required maxlength="1024" autocomplete="current-password">`)}
<p class="actions"><button class="${passwordless ? '' : 'primary'}" type="submit" id="password-button">Continue</button></p>
${status('password-status')}
</form>`

/** The script shows what the cluster takes; what somebody has, nobody is told. */
const secondPart = html`
<div id="second" class="step" hidden>
<h2 id="second-heading" tabindex="-1"><span class="act">Your second factor</span> <span class="thing" id="who"></span></h2>
<button class="primary" type="button" id="by-webauthn" hidden>Use a passkey or security key</button>
<form id="by-otp" method="post" aria-label="Code from an app" hidden>
<label for="code">Code from your authenticator app</label>
<input id="code" class="digits" name="code" type="text" required maxlength="64" inputmode="numeric" autocomplete="one-time-code" spellcheck="false">
<p class="actions"><button type="submit" id="code-button">Sign in with the code</button></p>
</form>
<details id="by-recovery" hidden>
<summary>Use a recovery code</summary>
<form id="recovery-form" method="post" aria-label="Recovery code">
<label for="recovery-code">Recovery code</label>
<input id="recovery-code" class="code" name="recovery" type="text" required maxlength="64" autocomplete="off" autocapitalize="characters" spellcheck="false">
<p class="hint">One that you have not used. Capitals and dashes do not matter.</p>
<p class="actions"><button type="submit" id="recovery-button">Sign in with the recovery code</button></p>
</form>
</details>
<p class="after" id="by-nothing" hidden><button type="button" id="without">I have no second factor</button></p>
${status('second-status')}
<p class="after"><button type="button" id="back">Back</button></p>
</div>`

function whatIsAsked(passwordless: boolean, passwords: boolean): string {
  if (!passwordless) return 'You are asked for your second factor.'
  const asked = 'Your browser asks for a finger, a face, a PIN or a security key'
  return passwords ? `${asked}; after a password, you are asked for your second factor.` : `${asked}.`
}

const thenSignedIn = (
  next: string | undefined,
  sessionTtl: Duration,
): Html => html`Then you are signed in on this browser for
${inWords(sessionTtl)} at most${next && next !== home ? html` and go on to ${placeOf(next)}` : ''}.`

/** Whole seconds, as a preference has them. */
function inWords(duration: Duration): string {
  const parts = [
    counted(Math.floor(duration / hours(1)), 'hour'),
    counted(Math.floor((duration % hours(1)) / minutes(1)), 'minute'),
    counted(Math.floor((duration % minutes(1)) / seconds(1)), 'second'),
  ]
  return parts.filter((part) => part !== '').join(' ')
}

const counted = (count: number, unit: string): string =>
  count === 0 ? '' : `${count} ${unit}${count === 1 ? '' : 's'}`

/** Places with long addresses, in words. */
const places: Readonly<Record<string, string>> = {
  '/oauth/authorize': 'the request of a program that wants to act for you. Nothing is approved by signing in',
  '/device': 'the login of a program that shows you a code. Nothing is approved by signing in',
  '/approve': 'a request that waits for your approval. Nothing is approved by signing in',
}

const placeOf = (next: string): Html => {
  const place = places[next.split('?', 1)[0] ?? '']
  return place === undefined ? html`<code>${shortened(next)}</code>` : html`${place}`
}

const shortened = (path: string): string => (path.length > 80 ? `${path.slice(0, 79)}…` : path)
