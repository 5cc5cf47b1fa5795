import { html } from 'hono/html'
import { sessionTtl } from '../../core/login/ceremony.ts'
import { hours } from '../../core/model.ts'
import { type Assets, type Html, heading, needsScript, page, status, terms } from './layout.ts'

interface SignIn {
  readonly cluster: string
  /** A local path, checked, or undefined for the account page. */
  readonly next: string | undefined
  /** Names of before whose passkeys still work: a browser looks for those of one name at a time. */
  readonly formerRpIds: readonly string[]
}

const home = '/account'

export const signInPage = (assets: Assets, { cluster, next, formerRpIds }: SignIn): Html =>
  page(assets, {
    cluster,
    title: 'Sign in',
    script: 'sign-in.js',
    body: html`
${heading('Sign in to', cluster)}
<p class="lead">Show that it is you with a passkey that you registered here.</p>
<button class="primary" type="button" id="sign-in" data-next="${next ?? ''}">Sign in with a passkey</button>
${formerRpIds.map(
  (id) => html`
<button type="button" class="former" data-rp-id="${id}">Use a passkey of ${id}</button>`,
)}
${status('sign-in-status')}
${needsScript('Only a script can ask your browser for a passkey.')}
${terms([
  ['Next', whatIsNext(next)],
  ['To say no', 'Cancel in the browser’s dialog, or close this page. Nothing changes.'],
  [
    'Another device',
    'A passkey on your phone or a security key works too: choose it in the browser’s dialog. If all are lost, ask an administrator.',
  ],
])}`,
  })

const whatIsNext = (next: string | undefined): Html => html`
Your browser asks for a finger, a face, a PIN or a security key. Then you are signed in on this browser for
${sessionTtl / hours(1)} hours at most${next && next !== home ? html` and go on to ${placeOf(next)}` : ''}.`

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
