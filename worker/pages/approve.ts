import { html } from 'hono/html'
import { type AddTotpSubject, type AdminSubject, type Intent, isSessionSet, type Json } from '../../core/intent.ts'
import { type Instant, seconds } from '../../core/model.ts'
import type { NewTotpIntent, WaitingIntent } from '../../core/tap/waiting.ts'
import { type WaitingWay, waitingWays } from './approval.ts'
import { sessionWords, setWords } from './approve-session.ts'
import { type Assets, type Html, heading, needsScript, page, terms } from './layout.ts'

interface Approve {
  readonly cluster: string
  readonly user: { readonly name: string }
  readonly intent: WaitingIntent
  readonly ticket: string
  readonly redirectUri: string
  readonly state: string
  readonly issuer: string
  readonly way: WaitingWay
  readonly now: Instant
}

/** What the ticket has, and nothing else: what is shown is what the key signs. `shown` goes to the script, which holds it to the ticket. */
export interface Words {
  readonly act: string
  readonly thing: string
  readonly facts: readonly (readonly [term: string, text: Html | string])[]
  readonly shown: Json
  readonly difference?: Html | undefined
}

function adminWords({ summary, method, path, address = '', changes = '', unshown_lines: lines }: AdminSubject): Words {
  return {
    act: 'approve',
    thing: summary,
    facts: [['Request', html`<code>${method} ${path}</code>`]],
    shown: { summary, method, path, address, changes, ...(lines !== undefined && { unshown_lines: lines }) },
    difference: changes === '' ? undefined : differencePart(lines),
  }
}

/** The script fills it with what came behind the address's #, once its hash is the one in the ticket. */
const differencePart = (lines: number | undefined): Html => html`
<section class="difference">
<h2 id="difference-heading">What changes</h2>
${
  lines === undefined
    ? html`<p id="difference-count" class="hint">Reading what changes…</p>
<div id="difference" class="lines" role="region" aria-labelledby="difference-heading" tabindex="0" hidden><ol></ol></div>`
    : html`<p class="notice">These are ${lines} lines, too many for this page. The terminal shows them: go on only if you
have read them there.</p>`
}
</section>`

const totpWords = ({ kind, name, secret, address = '' }: AddTotpSubject): Words => ({
  act: 'add the authenticator app',
  thing: name,
  facts: [['What it does', 'Its codes will sign you in together with your password. The program shows its key next.']],
  shown: { kind, name, secret, address },
})

function wordsOf(intent: WaitingIntent): Words {
  if (intent.purpose === 'session') {
    const { subject } = intent as Intent<'session'>
    return isSessionSet(subject) ? setWords(subject) : sessionWords(subject)
  }
  if (intent.purpose === 'register') return totpWords((intent as NewTotpIntent).subject)
  return adminWords((intent as Intent<'admin'>).subject)
}

export const approvePage = (assets: Assets, { cluster, user, intent, way, now, ...asked }: Approve): Html => {
  const { ask, script, next, proof } = waitingWays[way]
  const { act, thing, facts, shown, difference } = wordsOf(intent)
  return page(assets, {
    cluster,
    title: 'Approve?',
    script: 'approve.js',
    body: html`
${heading(`${user.name}, ${act} on ${cluster}?`, thing)}
${terms([
  ...facts,
  [
    'Asked from',
    html`<span class="address">${intent.subject.address}</span>, by a program that you are signed in with`,
  ],
  [
    'Go on only if',
    html`you have <strong>just now</strong> asked for exactly this, letter by letter. If you asked for nothing, say that
it was not you.`,
  ],
  [
    'Time left',
    html`<span id="left" data-seconds="${secondsLeft(intent.exp, now)}">Five minutes from when it was asked</span>`,
  ],
])}
${difference}
<div class="answer" id="asked" data-ticket="${asked.ticket}" data-redirect="${asked.redirectUri}" data-state="${asked.state}"
data-issuer="${asked.issuer}" data-way="${way}" data-purpose="${intent.purpose}" data-shown="${JSON.stringify(shown)}">
${ask()}
<p class="not-me"><button type="button" class="danger" id="not-me" aria-describedby="not-me-hint">This was not me</button>
<span class="hint" id="not-me-hint">Refuses it, and ends the login of the program that asked, at once.</span></p>
</div>
${needsScript(script)}
${terms([
  [
    'Next',
    `${next} The ${proof} approves this one request, once, and the answer goes back to the program that waits on this computer.`,
  ],
  ['To say no', 'Refuse, and the program is told. If you just close this page, nothing is approved either.'],
])}`,
  })
}

const secondsLeft = (exp: number, now: Instant): number => Math.max(Math.floor((seconds(exp) - now) / 1000), 0)

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
