import { html } from 'hono/html'
import { type Assets, type Html, heading, needsScript, page, status, terms } from './layout.ts'

/** Form and refusal lie in templates, as on the first administrator's page: the link's secret is in the fragment. */
export const recoverPage = (assets: Assets, { cluster }: { readonly cluster: string }): Html =>
  page(assets, { cluster, title: 'Recovery', script: 'recover.js', body: openPage(cluster) })

const openPage = (cluster: string): Html => html`
<div id="asked">
${heading('Recovery of an administrator of', cluster)}
<p class="lead">You opened a one-time link from the operator’s terminal. It is for when no administrator can sign in any more.
Whoever registers here can let everybody else in. Go on only if that should be you.</p>
<div id="place"></div>
${status('link-status')}
${needsScript('Only a script can read the link and ask your browser for a passkey.')}
${terms([
  [
    'Root passkey',
    html`Trust in this cluster begins with the passkey that you make now, beside those roots that are still there.
<strong>Have at least two</strong>, on different devices, so that losing one locks nobody out again.`,
  ],
  [
    'Afterwards',
    html`Proxies that pin root fingerprints do not know the new one. The operator puts it into their configuration:
<code>sallyport admin status</code> shows it.`,
  ],
  ['Next', 'Your browser asks where to keep the passkey, and for a finger, a face or a PIN. Then you are signed in.'],
  [
    'To say no',
    'Close this page: nothing is changed. The link works for whoever has it until it expires, so keep it to yourself.',
  ],
])}
</div>
<template id="form">${form}</template>
<template id="dead">${deadLink(cluster)}</template>`

const form = html`
<form id="register" method="post">
<p class="lead" id="there">You will be <strong data-name></strong> again, with the roles access, auditor and editor beside those that
you have. <strong>All passkeys, passwords, codes, sessions and links of <span data-name></span> are removed</strong> as soon as you
register.</p>
<p class="lead" id="new">You will be <strong data-name></strong>, who is new here, with the roles access, auditor and editor.</p>
<button class="primary" type="submit">Register a passkey</button>
<p class="hint">This link works until <time id="expires"></time>.</p>
</form>`

const deadLink = (cluster: string): Html => html`
${heading(`Recovery of an administrator of ${cluster}`, 'This link was used or is no longer valid')}
<p class="lead">Each link works once, for one hour, and only until a newer one is made.</p>
<p><a class="button" href="/">Go to sign in</a></p>
${terms([
  ['Was it you?', 'Sign in with the passkey that you registered.'],
  ['Not yet?', html`Ask the operator for a new link: <code>sallyport-edge recover NAME</code>`],
  ['Somebody else?', 'Tell the operator at once: whoever used the link holds a root passkey of this cluster.'],
])}`
