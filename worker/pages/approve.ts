import { html } from 'hono/html'
import type { AdminSubject } from '../../core/intent.ts'
import { type Assets, type Html, heading, needsScript, page, status, terms } from './layout.ts'

interface Approve {
  readonly cluster: string
  readonly user: { readonly name: string }
  readonly subject: AdminSubject
  readonly ticket: string
  readonly redirectUri: string
  readonly state: string
  readonly issuer: string
}

/** One administrative request, as the ticket has it: what is shown is what the key signs. */
export const approvePage = (assets: Assets, { cluster, user, subject, ...asked }: Approve): Html =>
  page(assets, {
    cluster,
    title: 'Approve?',
    script: 'approve.js',
    body: html`
${heading(`${user.name}, approve on ${cluster}?`, subject.summary)}
${terms([
  ['Asked from', html`<span class="address">${subject.address}</span>, by a program that you are signed in with`],
  ['Request', html`<code>${subject.method} ${subject.path}</code>`],
  [
    'Go on only if',
    html`you have <strong>just now</strong> asked for exactly this, letter by letter. If not, refuse, and end the
program’s login on your account page.`,
  ],
])}
<div class="answer" id="asked" data-ticket="${asked.ticket}" data-redirect="${asked.redirectUri}" data-state="${asked.state}"
data-issuer="${asked.issuer}" data-summary="${subject.summary}" data-method="${subject.method}" data-path="${subject.path}" data-address="${subject.address}">
<p class="actions">
<button type="button" id="refuse" aria-describedby="heading">Refuse</button>
<button class="primary" type="button" id="approve" aria-describedby="heading">Approve with a passkey</button>
</p>
${status('approve-status')}
</div>
${needsScript('Only a script can ask your browser for a passkey.')}
${terms([
  [
    'Next',
    'Your browser asks for a passkey of yours. The tap approves this one request, once, and goes back to the program that waits on this computer.',
  ],
  ['To say no', 'Refuse, and the program is told. If you just close this page, nothing is approved either.'],
])}`,
  })

interface NotApprovable {
  readonly cluster: string
  readonly why: 'another-user' | 'expired'
}

export const notApprovablePage = (assets: Assets, { cluster, why }: NotApprovable): Html => {
  const [title, lead] = reasons[why]
  return page(assets, {
    cluster,
    title,
    body: html`
${heading(`Approve on ${cluster}?`, title)}
<p class="lead">${lead}</p>
<p><a class="button" href="/account">Go to your account</a></p>`,
  })
}

const reasons = {
  'another-user': [
    'This is for somebody else',
    'The program that asks is signed in as another user than this browser. Sign out here, sign in as that user, and open the link again. If you expect no such link, close this page.',
  ],
  expired: ['This has expired', 'A request lives five minutes. Start it again in the program that asked.'],
} as const
