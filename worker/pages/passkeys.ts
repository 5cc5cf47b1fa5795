/** The account page's section for passkeys and security keys. */
import { html } from 'hono/html'
import { factorWords } from '../../core/api/factor-kinds.ts'
import type { Attestation } from '../../core/login/attestation.ts'
import type { FactorsShown } from '../../core/login/factors.ts'
import type { CredentialKind, Instant } from '../../core/model.ts'
import { type Html, status } from './layout.ts'
import { time } from './times.ts'

export interface Passkey {
  readonly id: string
  readonly kind: CredentialKind
  readonly name: string
  /** What make it says it is. undefined: unknown. */
  readonly provider: string | undefined
  readonly attestation: Attestation | undefined
  readonly synced: boolean
  /** Whether its relying party is taken. */
  readonly works: boolean
  readonly isRemovable: boolean
  readonly isRoot: boolean
  readonly mayVouch: boolean
  readonly fingerprint: string
  readonly createdAt: Instant
  readonly lastUsedAt: Instant | undefined
}

interface About {
  readonly passkeys: readonly Passkey[]
  readonly factors: FactorsShown
  readonly now: Instant
}

/** Security keys are spoken of where they are taken, or where somebody has one. */
export function passkeySection({ passkeys, factors, now }: About): Html {
  const speaksOfKeys = factors.takesSecurityKeys || passkeys.some(({ kind }) => kind === 'security_key')
  return html`
<section aria-labelledby="passkeys">
<h2 id="passkeys">${speaksOfKeys ? 'Passkeys and security keys' : 'Passkeys'}</h2>
${passkeys.length > 0 ? passkeyList(passkeys, factors.takesSecurityKeys, now) : firstPasskeyHint}
</section>`
}

/** Each passkey is let in by another one, so the first comes from somebody else. */
const firstPasskeyHint = html`
<p class="hint">You have none. Ask an administrator for a link to register the first one (<code>sallyport admin users reset</code> with
your name; it takes the place of your password and codes); you add the others yourself.</p>`

const passkeyList = (passkeys: readonly Passkey[], takesSecurityKeys: boolean, now: Instant): Html => html`
<ul class="things">${passkeys.map((passkey) => passkeyItem(passkey, now))}</ul>
${lastHint(passkeys)}
${addForm(takesSecurityKeys)}`

function lastHint(passkeys: readonly Passkey[]): Html | '' {
  if (passkeys.length === 1)
    return html`<p class="hint">The last passkey cannot be removed: another one would have to approve that.</p>`
  const last = passkeys.filter((one) => one.kind === 'passkey' && one.works)
  return last.length === 1 && last[0]?.isRemovable === false
    ? html`<p class="hint">The last passkey cannot be removed: without it you could not sign in.</p>`
    : ''
}

const passkeyItem = (passkey: Passkey, now: Instant): Html => html`
<li>
<div class="thing-head">
<h3>${passkey.name}</h3>
${passkey.kind === 'security_key' && html`<span class="tag">Security key</span>`}
${passkey.isRoot && html`<span class="tag">Root</span>`}
</div>
<p class="facts">${keptWhere(passkey)}${passkey.attestation?.ca && html`<br>Attested by <span class="thing">${passkey.attestation.ca.subject}</span>`}</p>
${!passkey.works && html`<p class="hint">It was made for another name of this cluster, which is not taken any more: it opens nothing.</p>`}
<p class="facts">Added ${time(passkey.createdAt, now)}<br>
${passkey.lastUsedAt === undefined ? 'Not used yet' : html`Last used ${time(passkey.lastUsedAt, now)}`}</p>
<details>
<summary>Fingerprint</summary>
<p class="facts"><code>${passkey.fingerprint}</code><br>${standing(passkey)}</p>
</details>
${
  passkey.isRemovable &&
  html`<button type="button" data-remove="${passkey.id}" data-name="${passkey.name}" data-kind="${factorWords[passkey.kind]}" aria-label="Remove ${passkey.name}">Remove</button>`
}
</li>`

function keptWhere({ kind, name, provider, synced }: Passkey): string {
  if (kind === 'security_key') return `${provider ?? 'Unknown make'} · beside your password`
  const kept = synced ? 'Synced between devices' : 'On one device'
  return provider === name ? kept : `${provider ?? 'Unknown make'} · ${kept.toLowerCase()}`
}

function standing({ kind, isRoot, mayVouch }: Passkey): string {
  if (kind === 'security_key') return 'Signs you in together with your password, and approves. It lets nobody else in.'
  if (isRoot) return 'A root passkey: trust in this cluster begins with it.'
  return mayVouch ? 'Its tap may let other keys and people in.' : 'Signs you in. It lets nobody else in.'
}

/** Which words name what is added, the script keeps: they stand in elements with data-kind-word. */
const addForm = (takesSecurityKeys: boolean): Html => html`
<form id="add" method="post" aria-label="Add a passkey">
${takesSecurityKeys && kindChoice}
<label for="name">Name of the new <span data-kind-word>passkey</span></label>
<input id="name" name="name" type="text" required maxlength="64" autocomplete="off" spellcheck="false" aria-describedby="name-hint">
<p class="hint" id="name-hint">To tell it from the others, such as Phone or Blue key.</p>
<ol class="steps" id="steps">
<li>Tap one that you have.</li>
<li><span>Make the new <span data-kind-word>passkey</span>.</span></li>
</ol>
<p class="hint">Nothing is added before both are done: to say no, cancel either.</p>
<p class="actions">
<button class="primary" type="submit" id="add-button"><span>Add a <span data-kind-word>passkey</span></span></button>
<button class="primary" type="button" id="make-button" hidden><span>Make the new <span data-kind-word>passkey</span></span></button>
<button type="button" id="add-cancel" hidden>Cancel</button>
</p>
${status('add-status')}
</form>`

const kindChoice = html`
<fieldset class="choice">
<legend>What do you add?</legend>
<label><input type="radio" name="kind" value="passkey" checked>
<span><strong>Passkey</strong><br>Signs you in alone: it asks for a finger, a face or a PIN.</span></label>
<label><input type="radio" name="kind" value="security_key">
<span><strong>Security key</strong><br>A touch beside your password. Keys without a PIN will do, older ones too.</span></label>
</fieldset>`

export const removeDialog = ({ takesSecurityKeys }: FactorsShown): Html => html`
<dialog id="remove" aria-labelledby="remove-heading" aria-describedby="remove-text">
<h2 id="remove-heading"><span class="act">Remove the <span id="remove-kind">passkey</span></span> <span class="thing" id="remove-name"></span></h2>
<p class="ask" id="remove-text">It will no longer sign you in, and sessions that it opened end. To approve this, your browser asks for
<strong>another</strong> passkey${takesSecurityKeys && ' or security key'} of yours next.</p>
${status('remove-status')}
<p class="actions">
<button type="button" id="remove-cancel" autofocus>Cancel</button>
<button class="danger" type="button" id="remove-confirm">Remove</button>
</p>
</dialog>`
