/** Sessions on resources: asked for, listed and ended. */
import { kindsOfResources } from '../access/resource.ts'
import { mostInSet } from '../access/session-set.ts'
import type { AnyOperation } from './operation.ts'
import { anything, list, object, oneOf, optional, text, whole, yesOrNo } from './shape.ts'

const id = text(128)
const name = text(256)

const sessionView = object({
  id,
  user: name,
  resource: object({ kind: oneOf(kindsOfResources), name }),
  /** As whom, in words; empty where the kind has no principal. */
  principal: text(4096),
  /** With the rights of this user. */
  impersonated: optional(name),
  proxy: name,
  address: name,
  opened_at: whole,
})
const openSessions = object({ sessions: list(sessionView, 100_000) })

export const sessionOperations = {
  sessionBegin: {
    method: 'POST',
    path: '/v1/sessions',
    summary: 'Ask for one session on one resource: a ticket where a role wants a tap; writes nothing',
    auth: 'dpop',
    body: object({
      resource: object({ kind: oneOf(kindsOfResources), name }),
      /** By the kind: `{login}`, `{db_user, db_name}`, `{kubernetes_user, kubernetes_groups}`, `{}`. */
      principal: anything,
      proxy: object({ id, boot: id }),
      /** With the rights of this user. */
      impersonate: optional(name),
      /** For a certificate with a P-256 key of its own (RFC 7638 thumbprint): by one tap it opens so many sessions, 1 to 16. */
      certificate: optional(object({ key: text(43), uses: whole })),
      redirect_uri: text(2048),
      state: text(1024),
    }),
    /** Without a tap the grant can be fetched at once: POST /oauth/token, token exchange. */
    answer: object({ tap: yesOrNo, ticket: optional(text(8192)), approve_url: optional(text(32_768)) }),
  },
  sessionSetBegin: {
    method: 'POST',
    path: '/v1/session-sets',
    summary:
      'Ask for sessions on several resources, or several on one, by one tap: a ticket where any wants it; writes nothing',
    auth: 'dpop',
    body: object({
      /** Each resource once. `count`: how often the tap opens it, within a minute. */
      sessions: list(
        object({ resource: object({ kind: oneOf(kindsOfResources), name }), principal: anything, count: whole }),
        mostInSet,
      ),
      proxy: object({ id, boot: id }),
      /** As for one. */
      impersonate: optional(name),
      redirect_uri: text(2048),
      state: text(1024),
    }),
    /** Without a tap: as of one session, a grant for each. */
    answer: object({ tap: yesOrNo, ticket: optional(text(8192)), approve_url: optional(text(32_768)) }),
  },
  ownOpenSessions: {
    method: 'GET',
    path: '/v1/me/sessions',
    summary: 'Sessions on resources that this user has open',
    auth: 'dpop',
    needs: { browser: true },
    answer: openSessions,
  },
  ownOpenSessionEnd: {
    method: 'DELETE',
    path: '/v1/me/sessions/{id}',
    summary: 'End one of them: its proxy hears of it within seconds',
    auth: 'dpop',
    needs: { browser: true },
    answer: sessionView,
  },
  openSessionsList: {
    method: 'GET',
    path: '/v1/sessions',
    summary: 'Sessions on resources that all users have open, or one',
    auth: 'dpop',
    needs: { may: { resource: 'session', verb: 'list' } },
    query: object({ user: optional(name) }),
    answer: openSessions,
  },
  openSessionEnd: {
    method: 'DELETE',
    path: '/v1/sessions/{id}',
    summary: 'End one of them: its proxy hears of it within seconds',
    auth: 'dpop',
    needs: { may: { resource: 'session', verb: 'delete' }, presence: 'tap-or-recent' },
    answer: sessionView,
  },
} as const satisfies Record<string, AnyOperation>
