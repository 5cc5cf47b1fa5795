import { html } from 'hono/html'
import { sessionTtl } from '../../core/login/ceremony.ts'
import { hours } from '../../core/model.ts'
import type { ApprovalWay } from '../../core/oauth/approval.ts'
import type { AuthorizeParameters } from '../../core/oauth/authorize.ts'
import { hasScope } from '../../core/oauth/clients.ts'
import { answerBy, nextBy, scriptFor } from './approval.ts'
import { type Assets, type Html, heading, page, terms } from './layout.ts'

interface Authorize {
  readonly cluster: string
  readonly user: { readonly name: string }
  readonly client: string
  readonly redirectUri: string
  readonly scope: string
  readonly address: string
  readonly way: ApprovalWay
  /** The parameters as they came: the script sends them back. */
  readonly request: AuthorizeParameters
}

/** Who asks, from where, and what it may do then: a person in a hurry must be able to tell a wrong request from a right one. */
export const authorizePage = (assets: Assets, asked: Authorize): Html => {
  const { cluster, user, client, redirectUri, scope, address, way, request } = asked
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
  ['It may then', mayThen(scope, way)],
  [
    'Go on only if',
    html`you have <strong>just now</strong> started this program yourself, such as with <code>sallyport login</code>. If
somebody sent you here, refuse: approving could let them act as you.`,
  ],
])}
<div class="answer" id="asked" data-request="${JSON.stringify(request)}" data-address="${address}" data-scope="${scope}">
${answerBy(way, user)}
</div>
${scriptFor(way)}
${terms([
  [
    'Next',
    html`${nextBy(way)} Then your browser goes to the program with a code for it. That code is for nobody
else: <strong>never pass on the address that you end up at</strong>. On your account page you can end the login at any time.`,
  ],
  ['To say no', 'Refuse, and the program is told. If you just close this page, nothing is approved either.'],
])}`,
  })
}

const portOf = (redirectUri: string): string => new URL(redirectUri).port

export const lifetime = `${sessionTtl / hours(1)} hours`

function mayThen(scope: string, way: ApprovalWay): string {
  if (!hasScope(scope, 'api')) return `Learn who you are, and nothing else, for ${lifetime} at most.`
  const most = `Do whatever your roles let you do, for ${lifetime} at most.`
  return way === 'code'
    ? `${most} Not what wants a passkey: it cannot administer or invite people.`
    : `${most} Some of it, such as inviting people, wants a further tap each time.`
}
