import { html } from 'hono/html'
import { type Assets, type Html, heading, needsScript, page, status, terms } from './layout.ts'

interface FirstAdministrator {
  readonly cluster: string
  /** Whether nobody is administrator yet. */
  readonly open: boolean
}

export const firstAdministratorPage = (assets: Assets, { cluster, open }: FirstAdministrator): Html =>
  open
    ? page(assets, { cluster, title: 'First administrator', script: 'first-administrator.js', body: openPage(cluster) })
    : page(assets, { cluster, title: 'Link no longer valid', body: deadLink(cluster) })

/**
 * Form and refusal lie in templates, so that neither is in the document before the script has asked whether the link
 * still works: its secret is in the fragment, which only a script can read.
 */
const openPage = (cluster: string): Html => html`
<div id="asked">
${heading('First administrator of', cluster)}
<p class="lead">You opened a one-time link from the operator’s terminal. Whoever registers here can let everybody else in.
Go on only if that should be you.</p>
<div id="place"></div>
${status('link-status')}
${needsScript('Only a script can read the link and ask your browser for a passkey.')}
${terms([
  [
    'Root passkey',
    html`Trust in this cluster begins with the passkey that you make now: every later key is let in by a tap that leads
back to it. <strong>Have at least two</strong>, on different devices, so that losing one locks nobody out. You can add
the second on the next page.`,
  ],
  ['Next', 'Your browser asks where to keep the passkey, and for a finger, a face or a PIN. Then you are signed in.'],
  ['To say no', 'Close this page. The link works for whoever has it until it expires, so keep it to yourself.'],
])}
</div>
<template id="form">${form}</template>
<template id="dead">${deadLink(cluster)}</template>`

const form = html`
<form id="register" method="post">
<label for="name">Your name</label>
<input id="name" name="name" type="text" required maxlength="64" autocomplete="username" autocapitalize="none" spellcheck="false" aria-describedby="name-hint">
<p class="hint" id="name-hint">As others will see it, such as Ada Lovelace.</p>
<button class="primary" type="submit">Register a passkey</button>
<p class="hint">This link works until <time id="expires"></time>.</p>
</form>`

const deadLink = (cluster: string): Html => html`
${heading(`First administrator of ${cluster}`, 'This link was used or is no longer valid')}
<p class="lead">Each link works once, for one hour, and only until a newer one is made.</p>
<p><a class="button" href="/">Go to sign in</a></p>
${terms([
  ['Was it you?', 'Sign in with the passkey that you registered.'],
  [
    'Nobody yet?',
    html`Ask the operator for a new link. It is printed in the terminal by <code>npm start</code> and by
<code>sallyport-edge init</code>, as long as there is no administrator.`,
  ],
  ['Somebody else?', 'Tell the operator at once: whoever used the link holds the root passkey of this cluster.'],
])}`
