import { html } from 'hono/html'
import { type Assets, type Html, heading, needsScript, page, status, terms } from './layout.ts'

/**
 * Form and refusal lie in templates, as on the first administrator's page: the link's secret is in the fragment. So does what the
 * link is for, an invitation or a reset: only the edge's answer to the script tells.
 */
export const invitePage = (assets: Assets, { cluster }: { readonly cluster: string }): Html =>
  page(assets, { cluster, title: 'Your link', script: 'invite.js', body: openPage(cluster) })

const openPage = (cluster: string): Html => html`
<div id="asked">
<div id="place">${heading('A one-time link to', cluster)}</div>
${status('link-status')}
${needsScript('Only a script can read the link and ask your browser for a passkey.')}
${terms([
  [
    'Your passkey',
    html`It is your only way in, so make it on a device that you keep. Add a second one, on another device, on the next
page: <strong>losing one must not lock you out</strong>.`,
  ],
  ['Next', 'Your browser asks where to keep the passkey, and for a finger, a face or a PIN. Then you are signed in.'],
  ['To say no', 'Close this page. The link works once, for whoever has it, until it expires: keep it to yourself.'],
])}
</div>
<template id="invite">${inviteForm(cluster)}</template>
<template id="reset">${resetForm(cluster)}</template>
<template id="dead">${deadLink(cluster)}</template>`

const inviteForm = (cluster: string): Html => html`
${heading('You are invited to', cluster)}
<form id="register" method="post">
<p class="lead">You will be <strong id="name"></strong>, <span id="roles"></span>. <span id="by"></span> invited you.</p>
${registerButton}
</form>`

const resetForm = (cluster: string): Html => html`
${heading('You were reset on', cluster)}
<form id="register" method="post">
<p class="lead">You are <strong id="name"></strong>, <span id="roles"></span>. <span id="by"></span> reset you (<time id="made"></time>).
<strong>Whatever passkeys, password and codes you had here were removed</strong>, and you are signed out everywhere. Make a new
passkey now.</p>
<p class="notice">You did not ask for that, and nobody told you of it? Talk to <span id="by-again"></span> before you go on, by another
way than the one that brought you this link.</p>
${registerButton}
</form>`

const registerButton = html`<button class="primary" type="submit">Register a passkey</button>
<p class="hint">This link works until <time id="expires"></time>.</p>`

const deadLink = (cluster: string): Html => html`
${heading(`One-time link to ${cluster}`, 'This link was used or is no longer valid')}
<p class="lead">Each link works once, until it expires or a newer one takes its place. A link that was cut short does not work either.</p>
<p><a class="button" href="/">Go to sign in</a></p>
${terms([
  ['Was it you?', 'Sign in with the passkey that you registered.'],
  ['Not yet?', 'Ask whoever gave it to you for a new one.'],
  ['Somebody else?', 'Tell an administrator at once: whoever used the link holds a passkey in your name.'],
])}`
