/** What the page that approves says of one session, and of a set of them. */
import { html } from 'hono/html'
import { membersOfPrincipal, resourceKinds, valuesOf } from '../../core/access/resource.ts'
import { resourceInWords, timesInWords } from '../../core/access/session-words.ts'
import type { SessionInSet, SessionSetSubject, SessionSubject } from '../../core/intent.ts'
import type { Words } from './approve.ts'
import type { Html } from './layout.ts'

type Session = Pick<SessionSubject, 'resource' | 'principal'>

export const sessionWords = ({ resource, principal, proxy, address, ...more }: SessionSubject): Words => ({
  act: `open ${sessionsInWords(more)}${rightsInWords(more)}`,
  thing: inLargeWords({ resource, principal }),
  facts: [
    ['What', html`${resourceInWords(resource)}`],
    ...rightsOf(more),
    ...membersIn({ resource, principal }).map(({ term, values }) => [term, html`<strong>${values}</strong>`] as const),
    ...certificateOf(more),
    ['Through', html`the proxy <code>${proxy.id}</code>`],
  ],
  shown: { resource, principal, proxy, address, ...shownOf(more), ...shownCertificate(more) },
})

type ByCertificate = Pick<SessionSubject, 'uses' | 'client_key'>

const sessionsInWords = ({ uses }: ByCertificate): string =>
  uses === undefined || uses === 1 ? 'a session' : `${uses} sessions`

const certificateOf = ({ uses, client_key }: ByCertificate): Words['facts'] =>
  uses === undefined
    ? []
    : [
        [
          'With a certificate',
          html`in a file on that computer: whoever has it opens this <strong>${timesInWords(Number(uses))}</strong>, within
a minute of your tap. Its key: <code>${client_key}</code>`,
        ],
      ]

const shownCertificate = ({ uses, client_key }: ByCertificate) => (uses === undefined ? {} : { uses, client_key })

type Whose = Pick<SessionSubject, 'impersonated'>

const rightsInWords = ({ impersonated }: Whose): string =>
  impersonated ? ` with the rights of ${impersonated.name}` : ''

const rightsOf = ({ impersonated }: Whose): Words['facts'] =>
  impersonated
    ? [
        [
          'With the rights of',
          html`<strong>${impersonated.name}</strong>, another user: the audit log will name you both`,
        ],
      ]
    : []

const shownOf = ({ impersonated }: Whose) => (impersonated ? { impersonated } : {})

/** So many stand in the large words; of more, how many there are. */
const mostInLarge = 4

export function setWords({ sessions, proxy, address, ...whose }: SessionSetSubject): Words {
  const all = sessions.reduce((sum, { count }) => sum + count, 0)
  const inAll = all === 1 ? '1 session' : `${all} sessions`
  const names = sessions.map(inLargeWords).join(', ')
  return {
    act: `${all === 1 ? 'open a session' : 'open these sessions'}${rightsInWords(whose)}`,
    thing: sessions.length > mostInLarge ? `${inAll} on ${sessions.length} resources` : names,
    facts: [
      ...rightsOf(whose),
      ...sessions.map((one) => [one.resource.name, inFull(one)] as const),
      [
        'And nothing else',
        html`${inAll} in all, each within a minute of your tap. What is not opened by then is not opened.`,
      ],
      ['Through', html`the proxy <code>${proxy.id}</code>`],
    ],
    shown: { sessions, proxy, address, ...shownOf(whose) },
  }
}

function inFull({ resource, principal, count }: SessionInSet): Html {
  const members = membersIn({ resource, principal }).map(
    ({ term, values }) => html`, ${term.toLowerCase().replace('kubernetes', 'Kubernetes')} <strong>${values}</strong>`,
  )
  return html`the ${resourceKinds[resource.kind].words}${members}, <strong>${timesInWords(count)}</strong>`
}

/** As whom first: what of all that somebody reads before he taps. */
function inLargeWords({ resource, principal }: Session): string {
  const [user] = ['db_user', 'login', 'kubernetes_user'].flatMap((field) => valuesOf(principal, field))
  return user === undefined ? resource.name : `${resource.name} as ${user}`
}

const membersIn = ({ resource, principal }: Session) =>
  membersOfPrincipal(resource.kind).flatMap(({ field }) => {
    const values = valuesOf(principal, field)
    return values.length === 0 ? [] : [{ term: memberTerms[field] ?? field, values: values.join(', ') }]
  })

const memberTerms: Readonly<Record<string, string>> = {
  db_user: 'Database user',
  db_name: 'Database',
  login: 'Login',
  kubernetes_user: 'Kubernetes user',
  kubernetes_groups: 'Kubernetes groups',
}
