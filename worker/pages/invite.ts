import { html } from 'hono/html'
import { type Assets, type Html, heading, needsScript, page, status, terms } from './layout.ts'

/** Form and refusal lie in templates, as on the first administrator's page: the link's secret is in the fragment. */
export const invitePage = (assets: Assets, { cluster }: { readonly cluster: string }): Html =>
  page(assets, { cluster, title: 'Invitation', script: 'invite.js', body: openPage(cluster) })

const openPage = (cluster: string): Html => html`
<div id="asked">
${heading('You are invited to', cluster)}
<div id="place"></div>
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
<template id="form">${form}</template>
<template id="dead">${deadLink(cluster)}</template>`

const form = html`
<form id="register" method="post">
<p class="lead">You will be <strong id="name"></strong>, <span id="roles"></span>. <span id="inviter"></span> invited you.</p>
<button class="primary" type="submit">Register a passkey</button>
<p class="hint">This link works until <time id="expires"></time>.</p>
</form>`

const deadLink = (cluster: string): Html => html`
${heading(`Invitation to ${cluster}`, 'This link was used or is no longer valid')}
<p class="lead">Each invitation works once, for one hour unless it says otherwise. A link that was cut short does not work either.</p>
<p><a class="button" href="/">Go to sign in</a></p>
${terms([
  ['Was it you?', 'Sign in with the passkey that you registered.'],
  ['Not yet?', 'Ask whoever invited you for a new one.'],
  ['Somebody else?', 'Tell an administrator at once: whoever used the link holds a passkey in your name.'],
])}`
