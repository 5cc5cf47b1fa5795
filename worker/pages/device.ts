import { html } from 'hono/html'
import type { DeviceAsk } from '../../core/device-flow-ports.ts'
import type { Instant } from '../../core/model.ts'
import type { ApprovalWay } from '../../core/oauth/approval.ts'
import { hasScope } from '../../core/oauth/clients.ts'
import { devicePage } from '../../core/oauth/device-flow.ts'
import { answerBy, nextBy, scriptFor } from './approval.ts'
import { lifetime } from './authorize.ts'
import { type Assets, type Html, heading, page, terms } from './layout.ts'
import { time } from './times.ts'

interface Named {
  readonly name: string
}

interface CodePage {
  readonly cluster: string
  /** What was typed before and fits nothing. */
  readonly typed: string | undefined
}

/** The code is carried by hand: a form without a script, so that it works in any browser. */
export const deviceCodePage = (assets: Assets, { cluster, typed }: CodePage): Html =>
  page(assets, {
    cluster,
    title: 'Enter the code',
    body: html`
${heading(`Headless login to ${cluster}`, 'Enter the code that the terminal shows')}
<form id="register" method="get" action="${devicePage}">
<label for="user-code">Code</label>
<input id="user-code" name="user_code" class="code" type="text" required maxlength="64" value="${typed ?? ''}"
autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" placeholder="XXXX-XXXX"
aria-describedby="user-code-hint"${typed === undefined ? '' : html` aria-invalid="true" autofocus`}>
${
  typed === undefined
    ? html`<p class="hint" id="user-code-hint">Eight letters. Large or small does not matter.</p>`
    : html`<p class="notice warning" id="user-code-hint" role="alert">No login waits with this code. Compare it with the terminal,
letter by letter. A code lives ten minutes: if it is older, start again in the terminal.</p>`
}
<button class="primary" type="submit">Go on</button>
</form>
${terms([
  ['What this is', html`<code>sallyport login --headless</code> shows a code on a machine that has no browser.`],
  [
    'Go on only if',
    html`you have <strong>just now</strong> started that login yourself. Never enter a code that somebody gave you, on the
phone, in a message or on a web page: it would let them act as you.`,
  ],
  ['Next', 'You see which program asks and from where. Nothing is approved before you confirm that.'],
  ['To say no', 'Close this page.'],
])}`,
  })

interface AskPage {
  readonly cluster: string
  readonly user: Named
  readonly ask: DeviceAsk
  readonly way: ApprovalWay
  /** The program's name. */
  readonly client: string
  readonly now: Instant
}

/** Whoever comes by a link has typed nothing, so everybody compares the code: it is the largest text, as in the terminal. */
export const deviceAskPage = (assets: Assets, { cluster, user, ask, way, client, now }: AskPage): Html =>
  page(assets, {
    cluster,
    title: 'Approve a headless login?',
    script: 'device.js',
    body: html`
${heading(`${user.name}, let the program with this code act for you on ${cluster}?`, html`<span class="code">${ask.userCode}</span>`)}
<p class="notice warning"><strong>Has somebody sent you here, or given you this code? Then refuse:</strong> approving would let them
act as you.</p>
${terms([
  ['Program', client],
  [
    'Asked from',
    html`<span class="address">${ask.from.address}</span>${ask.from.place && html`, ${ask.from.place}`}, ${time(ask.askedAt, now)}`,
  ],
  ['It may then', mayThen(ask.scope)],
  [
    'Go on only if',
    html`you have <strong>just now</strong> started this login yourself, on a machine in front of you or one that you are
connected to.`,
  ],
])}
<div class="answer" id="asked" data-client="${ask.clientId}" data-code="${ask.userCode}" data-hash="${ask.hash}"
data-key="${ask.jkt}" data-scope="${ask.scope}" data-address="${ask.from.address}">
<p class="check">
<input id="compared" type="checkbox" autocomplete="off">
<label for="compared">The terminal where I started it shows exactly this code</label>
</p>
${answerBy(way, user)}
</div>
${scriptFor(way)}
${terms([
  ['Next', `${nextBy(way)} Then the program goes on by itself; you end its login on your account page.`],
  ['To say no', 'Refuse, and the program is told. If you just close this page, nothing is approved either.'],
])}`,
  })

const mayThen = (scope: string): string =>
  hasScope(scope, 'api')
    ? `Reach what your roles let you reach, for ${lifetime} at most. It cannot administer, invite people or change passkeys.`
    : `Learn who you are, and nothing else, for ${lifetime} at most.`

/** To whoever answered, and to nobody else. */
export const deviceAnsweredPage = (
  assets: Assets,
  { cluster, state }: { readonly cluster: string; readonly state: 'approved' | 'refused' },
): Html => {
  const [title, lead] = answers[state]
  return page(assets, {
    cluster,
    title,
    body: html`
${heading(`Headless login to ${cluster}`, title)}
<p class="lead">${lead}</p>
<p><a class="button" href="/account">Go to your account</a></p>`,
  })
}

const answers = {
  approved: [
    'Approved: go back to the terminal',
    'The program there goes on within a few seconds. You can close this page. On your account page you can end its login at any time.',
  ],
  refused: [
    'Refused',
    'The program is told, and gets nothing. If somebody gave you the code, tell an administrator: others may have been asked too.',
  ],
} as const

export const deviceOffPage = (
  assets: Assets,
  { cluster, user }: { readonly cluster: string; readonly user: Named },
): Html =>
  page(assets, {
    cluster,
    title: 'Headless logins are off',
    body: html`
${heading(`${user.name}, on ${cluster}`, 'Headless logins are off for you')}
<p class="lead">None of your roles allows them, so no code can be approved here.</p>
<p><a class="button" href="/account">Go to your account</a></p>
${terms([
  ['With a browser', html`On a machine that has one, <code>sallyport login</code> works without this.`],
  [
    'If you need it',
    html`Ask an administrator for a role that has <code>device_flow: true</code> in its <code>options</code>.`,
  ],
  [
    'Not you?',
    'If somebody sent you here or gave you a code, tell an administrator: they may have wanted to act as you.',
  ],
])}`,
  })
