/** What programs call with an access token and its key: the CLI and scripts. */

import { documentKinds } from '../access/document.ts'
import { kindsOfResources } from '../access/resource.ts'
import { factorKinds } from './factor-kinds.ts'
import type { AnyOperation } from './operation.ts'
import { anything, list, object, oneOf, optional, text, whole, yesOrNo } from './shape.ts'
import { vouchKey } from './webauthn.ts'

const id = text(128)
const name = text(256)
/** Seconds since 1970, as on every wire. */
const instant = whole
const secret = text(64)

const names = optional(list(name, 1024))
const allowed = object({
  logins: names,
  db_users: names,
  db_names: names,
  kubernetes_users: names,
  kubernetes_groups: names,
  windows_desktop_logins: names,
})

const me = object({
  user: object({ id, name }),
  cluster: name,
  roles: list(name, 64),
  client: name,
  /** `device_flow`: a headless login, which reaches resources and does nothing else. */
  via: oneOf(['browser', 'device_flow']),
  auth_time: instant,
  valid_until: instant,
})
const userView = object({
  name,
  roles: list(name, 64),
  /** invited, reset: has no passkey and a link that may still be used; expired: has neither. */
  state: oneOf(['active', 'locked', 'invited', 'reset', 'expired']),
  passkeys: whole,
  link: optional(object({ kind: oneOf(['invite', 'reset']), expires_at: instant })),
  created_at: instant,
})
const oneTimeLink = object({ name, invite: secret, expires_at: instant, link: text(2048) })
const loginView = object({
  id,
  kind: oneOf(['browser', 'program']),
  user: name,
  /** The program, or the browser as it says of itself. */
  client: name,
  address: name,
  place: name,
  opened_at: instant,
  last_seen_at: instant,
  expires_at: instant,
  /** The very one that asks. */
  this_one: yesOrNo,
})
const logins = object({ logins: list(loginView, 100_000) })
const factorView = object({
  kind: oneOf(factorKinds),
  name,
  make: optional(name),
  synced: optional(yesOrNo),
  created_at: instant,
  last_used_at: optional(instant),
})
const passkeyView = object({
  name,
  make: optional(name),
  synced: yesOrNo,
  /** Whether its tap approves administrative actions and admits others. */
  may_vouch: yesOrNo,
  fingerprint: secret,
  created_at: instant,
  last_used_at: optional(instant),
})
const documentView = object({ document: anything, revision: text(64), preset: yesOrNo })
/** Whose passkeys stopped working by a change of the relying party. */
const lost = list(object({ user: name, passkeys: whole }), 100_000)
const auditView = object({
  seq: whole,
  at: text(32),
  kind: name,
  outcome: oneOf(['done', 'refused']),
  code: optional(name),
  user: optional(name),
  address: name,
  place: name,
  browser: name,
  request_id: name,
  detail: optional(anything),
})

export const tokenOperations = {
  me: {
    method: 'GET',
    path: '/v1/me',
    summary: 'Who this token is for, and until when',
    auth: 'dpop',
    answer: me,
  },
  ownLogins: {
    method: 'GET',
    path: '/v1/me/logins',
    summary: 'Browser sessions and programs’ logins of this user',
    auth: 'dpop',
    needs: { browser: true },
    answer: logins,
  },
  ownLoginEnd: {
    method: 'DELETE',
    path: '/v1/me/logins/{id}',
    summary: 'End one of them',
    auth: 'dpop',
    needs: { browser: true },
    answer: loginView,
  },
  ownFactors: {
    method: 'GET',
    path: '/v1/me/factors',
    summary: 'What this user proves himself with',
    auth: 'dpop',
    needs: { browser: true },
    answer: object({ factors: list(factorView, 1024) }),
  },
  factorRemove: {
    method: 'POST',
    path: '/v1/me/factors/remove',
    summary: 'Remove one, with a tap of another',
    auth: 'dpop',
    needs: { presence: 'tap' },
    body: object({ kind: oneOf(factorKinds), name }),
    answer: object({ name }),
  },
  resourcesList: {
    method: 'GET',
    path: '/v1/resources',
    summary: 'What the roles of this user reach',
    auth: 'dpop',
    answer: object({
      resources: list(
        object({
          kind: oneOf(kindsOfResources),
          name,
          description: optional(name),
          labels: anything,
          /** Of a database. */
          protocol: optional(name),
          /** As whom: what the roles list, templates filled in, patterns as they are written. */
          allowed,
          /** Whether each session wants a tap. */
          tap: yesOrNo,
        }),
        100_000,
      ),
    }),
  },
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
      redirect_uri: text(2048),
      state: text(1024),
    }),
    /** Without a tap the grant can be fetched at once: POST /oauth/token, token exchange. */
    answer: object({ tap: yesOrNo, ticket: optional(text(8192)), approve_url: optional(text(32_768)) }),
  },
  cluster: {
    method: 'GET',
    path: '/v1/cluster',
    summary: 'The cluster: its root passkeys and signing keys',
    auth: 'dpop',
    needs: { role: 'editor' },
    answer: object({
      cluster: name,
      issuer: text(2048),
      roots: list(object({ user: name, name, fingerprint: secret }), 1024),
      keys: list(object({ kid: name, state: oneOf(['next', 'current', 'retired']), since: instant }), 64),
    }),
  },
  usersList: {
    method: 'GET',
    path: '/v1/users',
    summary: 'All users',
    auth: 'dpop',
    needs: { role: 'editor' },
    answer: object({ users: list(userView, 100_000) }),
  },
  userAdd: {
    method: 'POST',
    path: '/v1/users',
    summary: 'Invite somebody: the tap names the user, the roles and the invite’s key',
    auth: 'dpop',
    needs: { role: 'editor', presence: 'tap' },
    /** `ttl` in seconds: 3600 where it is missing, 172800 at most. */
    body: object({ name, roles: list(name, 64), invite_key: vouchKey, ttl: optional(whole) }),
    answer: oneTimeLink,
  },
  userReset: {
    method: 'POST',
    path: '/v1/users/reset',
    summary:
      'Remove all passkeys, passwords, codes and sessions of a user: the tap names the user and the key of the link that lets him in again',
    auth: 'dpop',
    needs: { role: 'editor', presence: 'tap' },
    /** `ttl` in seconds: 28800 where it is missing, 86400 at most. */
    body: object({ name, reset_key: vouchKey, ttl: optional(whole) }),
    answer: oneTimeLink,
  },
  userRemove: {
    method: 'DELETE',
    path: '/v1/users/{name}',
    summary: 'Remove a user with passkeys, passwords, codes, sessions and invite',
    auth: 'dpop',
    needs: { role: 'editor', presence: 'tap-or-recent' },
    answer: object({ name }),
  },
  passkeysList: {
    method: 'GET',
    path: '/v1/users/{name}/passkeys',
    summary: 'The passkeys of a user, and which of them may approve administrative actions',
    auth: 'dpop',
    needs: { role: 'editor' },
    answer: object({ passkeys: list(passkeyView, 1024) }),
  },
  passkeyEntrust: {
    method: 'POST',
    path: '/v1/users/{name}/passkeys/entrust',
    summary: 'Let a passkey of a user approve administrative actions and admit others',
    auth: 'dpop',
    needs: { role: 'editor', presence: 'tap' },
    /** What the user calls it. */
    body: object({ passkey: name }),
    answer: object({ user: name, passkey: name }),
  },
  loginsList: {
    method: 'GET',
    path: '/v1/logins',
    summary: 'Browser sessions and programs’ logins of all users, or of one',
    auth: 'dpop',
    needs: { role: 'editor' },
    query: object({ user: optional(name) }),
    answer: logins,
  },
  loginEnd: {
    method: 'DELETE',
    path: '/v1/logins/{id}',
    summary: 'End one of them',
    auth: 'dpop',
    needs: { role: 'editor', presence: 'tap-or-recent' },
    answer: loginView,
  },
  documentsList: {
    method: 'GET',
    path: '/v1/documents',
    summary: 'Roles, resources, locks and the preference about logins, as YAML documents have them',
    auth: 'dpop',
    needs: { role: 'editor' },
    query: object({ kind: optional(oneOf(documentKinds)), name: optional(name) }),
    answer: object({ documents: list(documentView, 100_000) }),
  },
  documentsPut: {
    method: 'POST',
    path: '/v1/documents',
    summary: 'Create them, all or none; with force replace those that exist, and let passkeys stop working',
    auth: 'dpop',
    needs: { role: 'editor', presence: 'tap-or-recent' },
    /** `replaces`: the revision of the one document that was read and edited; empty where there was none. */
    body: object({ documents: list(anything, 100), force: optional(yesOrNo), replaces: optional(text(64)) }),
    answer: object({
      documents: list(
        object({ kind: name, name, revision: text(64), outcome: oneOf(['created', 'replaced', 'unchanged']) }),
        100,
      ),
      lost,
    }),
  },
  documentRemove: {
    method: 'DELETE',
    path: '/v1/documents/{kind}/{name}',
    summary: 'Remove one; of the preference about logins: the defaults hold again',
    auth: 'dpop',
    needs: { role: 'editor', presence: 'tap-or-recent' },
    query: object({ force: optional(oneOf(['true'])) }),
    answer: object({ kind: name, name, lost }),
  },
  auditList: {
    method: 'GET',
    path: '/v1/audit',
    summary: 'What happened, newest first',
    auth: 'dpop',
    needs: { role: 'auditor' },
    query: object({ before: optional(text(16)), limit: optional(text(4)), user: optional(name), kind: optional(name) }),
    answer: object({ events: list(auditView, 1000), next: optional(whole) }),
  },
  keysRotate: {
    method: 'POST',
    path: '/v1/keys/rotate',
    summary: 'The next signing key signs from now on; nobody is logged out',
    auth: 'dpop',
    needs: { role: 'editor', presence: 'tap-or-recent' },
    body: object({}),
    answer: object({ current: name, next: name }),
  },
} as const satisfies Record<string, AnyOperation>
