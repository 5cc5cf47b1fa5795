import { html } from 'hono/html'
import { sessionTtl } from '../../core/login/ceremony.ts'
import { hours } from '../../core/model.ts'
import type { AuthorizeParameters } from '../../core/oauth/authorize.ts'
import { hasScope } from '../../core/oauth/clients.ts'
import { type Assets, approveOrRefuse, type Html, heading, needsScript, page, terms } from './layout.ts'

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
    html`this browser, at <span class="address">${address}</span>. The answer goes to a program on this computer, at port ${portOf(redirectUri)}.`,
  ],
  ['It may then', mayThen(scope)],
  [
    'Go on only if',
    html`you have <strong>just now</strong> started this program yourself, such as with <code>sallyport login</code>. If
somebody sent you here, refuse: approving could let them act as you.`,
  ],
])}
<div class="answer" id="asked" data-request="${JSON.stringify(request)}" data-address="${address}" data-scope="${scope}">
${approveOrRefuse()}
</div>
${needsScript('Only a script can ask your browser for a passkey.')}
${terms([
  [
    'Next',
    html`Your browser asks for a passkey of yours, then goes to the program with a code for it. That code is for nobody
else: <strong>never pass on the address that you end up at</strong>. On your account page you can end the login at any time.`,
  ],
  ['To say no', 'Refuse, and the program is told. If you just close this page, nothing is approved either.'],
])}`,
  })
}

const portOf = (redirectUri: string): string => new URL(redirectUri).port

export const lifetime = `${sessionTtl / hours(1)} hours`

const mayThen = (scope: string): string =>
  hasScope(scope, 'api')
    ? `Do whatever your roles let you do, for ${lifetime} at most. Some of it, such as inviting people, wants a further tap each time.`
    : `Learn who you are, and nothing else, for ${lifetime} at most.`
