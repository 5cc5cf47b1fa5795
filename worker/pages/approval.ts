/** The part of a page that approves a program: what is asked depends on what somebody has and on what the cluster takes. */
import { html } from 'hono/html'
import type { ApprovalWay } from '../../core/oauth/approval.ts'
import { approveOrRefuse, type Html, needsScript, passwordBox, refuseButton, status } from './layout.ts'

const codeBox = html`<label for="current-code">Code from your authenticator app</label>
<input id="current-code" class="digits" type="text" required maxlength="16" inputmode="numeric" autocomplete="one-time-code" spellcheck="false" aria-describedby="current-code-hint">
<p class="hint" id="current-code-hint">Six digits. Each code works once: after signing in, wait for the next one.</p>`

/** As `approveOrRefuse`, where a code alone is asked for: of a session, whose program has signed in. */
const codeOrRefuse = (): Html => html`<form id="proof" method="post" aria-describedby="heading">
${codeBox}
<p class="actions">
${refuseButton}
<button class="primary" type="submit" id="approve" aria-describedby="heading">Approve with a code</button>
</p>
</form>
${status('approve-status')}`

/** As `approveOrRefuse`, where password and code are asked for. The name is there for password managers. */
const typeOrRefuse = (name: string): Html => html`<form id="proof" method="post" aria-describedby="heading">
<input type="text" name="name" autocomplete="username" value="${name}" readonly hidden>
<label for="current-password">Your password</label>
${passwordBox(html`<input id="current-password" type="password" required maxlength="1024" autocomplete="current-password">`)}
${codeBox}
<p class="actions">
${refuseButton}
<button class="primary" type="submit" id="approve" aria-describedby="heading">Approve with password and code</button>
</p>
</form>
${status('approve-status')}`

/** Where nothing that somebody has may approve: what to do, and the answer that says no. */
const onlyRefuse =
  (): Html => html`<p class="notice warning"><strong>You cannot approve this: it wants a passkey, and you have none.</strong> Ask an administrator for a link to register one
(<code>sallyport admin users reset</code> with your name; it takes the place of your password and codes). Then start again in the
program.</p>
<p class="actions">${refuseButton}</p>
${status('approve-status')}`

interface Way {
  readonly ask: (name: string) => Html
  readonly script: string
  /** What happens next: the page goes on with what comes of it. */
  readonly next: string
}

const ways: { readonly [way in ApprovalWay]: Way } = {
  tap: {
    ask: approveOrRefuse,
    script: 'Only a script can ask your browser for a passkey.',
    next: 'Your browser asks for a passkey of yours.',
  },
  code: {
    ask: typeOrRefuse,
    script: 'Only a script can send what you type.',
    next: 'Your password and the code are checked.',
  },
  none: {
    ask: onlyRefuse,
    script: 'Only a script can tell the program.',
    next: 'Register a passkey, start the program again, and approve it here.',
  },
}

export const answerBy = (way: ApprovalWay, { name }: { readonly name: string }): Html => ways[way].ask(name)
export const scriptFor = (way: ApprovalWay): Html => needsScript(ways[way].script)
export const nextBy = (way: ApprovalWay): string => ways[way].next

export type WaitingWay = 'tap' | 'code'

/** Of what a program waits for: the answers, what needs the script, what happens next and what approves it. */
export const waitingWays: { readonly [way in WaitingWay]: WaitingParts } = {
  tap: { ask: approveOrRefuse, script: ways.tap.script, next: ways.tap.next, proof: 'tap' },
  code: { ask: codeOrRefuse, script: ways.code.script, next: 'The code is checked.', proof: 'code' },
}

interface WaitingParts extends Omit<Way, 'ask'> {
  readonly ask: () => Html
  readonly proof: string
}
