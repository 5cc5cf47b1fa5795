import { html } from 'hono/html'
import type { AuthorizeParameters } from '../../core/oauth/authorize.ts'
import { hasScope } from '../../core/oauth/clients.ts'
import { type Assets, type Html, heading, needsScript, page, status, terms } from './layout.ts'

interface Authorize {
  readonly cluster: string
  readonly user: { readonly name: string }
  readonly client: string
  readonly redirectUri: string
  readonly scope: string
  readonly address: string
  /** The parameters as they came: the script sends them back. */
  readonly request: AuthorizeParameters
}

/** Who asks, from where, and what it may do then: a person in a hurry must be able to tell a wrong request from a right one. */
export const authorizePage = (assets: Assets, asked: Authorize): Html => {
  const { cluster, user, client, redirectUri, scope, address, request } = asked
  return page(assets, {
    cluster,
    title: `Let ${client} act for you?`,
    script: 'authorize.js',
    body: html`
${heading(`${user.name}, let this program act for you on ${cluster}?`, client)}
${terms([
  [
    'Asked from',
    html`<span class="address">${address}</span>, by a program on the computer that this browser runs on (port ${portOf(redirectUri)})`,
  ],
  ['It may then', mayThen(scope)],
  [
    'Go on only if',
    html`you have <strong>just now</strong> started to sign in with <code>sallyport login</code> or such. If somebody sent you
here, refuse: approving would let them act as you.`,
  ],
])}
<div id="asked" data-request="${JSON.stringify(request)}" data-address="${address}" data-scope="${scope}">
<p class="actions">
<button type="button" id="refuse">Refuse</button>
<button class="primary" type="button" id="approve">Approve with a passkey</button>
</p>
${status('approve-status')}
</div>
${needsScript('Only a script can ask your browser for a passkey.')}
${terms([['Next', 'Your browser asks for a passkey of yours; then this page hands the program its code. You can end its login on your account page at any time.']])}`,
  })
}

const portOf = (redirectUri: string): string => new URL(redirectUri).port

const mayThen = (scope: string): string =>
  hasScope(scope, 'api')
    ? 'Do what your roles allow, for 12 hours at most. What matters more wants a tap of yours each time.'
    : 'Learn who you are, and nothing else.'
