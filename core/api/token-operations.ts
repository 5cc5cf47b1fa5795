/** What programs call with an access token and its key: the CLI and scripts. */

import { documentKinds } from '../access/document.ts'
import { kindsOfResources } from '../access/resource.ts'
import { loginVias, sessionVias } from '../model.ts'
import { factorKinds } from './factor-kinds.ts'
import type { AnyOperation } from './operation.ts'
import { sessionOperations } from './session-operations.ts'
import { anything, list, object, oneOf, optional, text, whole, yesOrNo } from './shape.ts'
import { vouchKey } from './webauthn.ts'
import { principalLists, whyOperations } from './why-operations.ts'

const id = text(128)
const name = text(256)
/** Seconds since 1970, as on every wire. */
const instant = whole
const secret = text(64)

const me = object({
  user: object({ id, name }),
  cluster: name,
  roles: list(name, 64),
  client: name,
  /** `device_flow`: a headless login, which reaches resources and does nothing else. */
  via: oneOf(loginVias),
  auth_time: instant,
  valid_until: instant,
})
const userView = object({
  name,
  roles: list(name, 64),
  /** invited, reset: has no passkey and a link that may still be used; expired: has neither; new: never had either. */
  state: oneOf(['active', 'locked', 'invited', 'reset', 'expired', 'new']),
  /** What the lock names that makes the state `locked`, such as `role:dev`. */
  locked_by: optional(name),
  passkeys: whole,
  link: optional(object({ kind: oneOf(['invite', 'reset']), expires_at: instant })),
  created_at: instant,
})
/** A link's address, before the # that the private half of its key stands behind. */
export const oneTimeLink = object({ name, invite: secret, expires_at: instant, link: text(2048) })
const loginView = object({
  id,
  kind: oneOf(['browser', 'program']),
  user: name,
  /** The program, or the browser as it says of itself. */
  client: name,
  address: name,
  place: name,
  /** What was shown for a browser's session; of a program, how it was let in. */
  via: oneOf([...sessionVias, ...loginVias]),
  opened_at: instant,
  last_seen_at: instant,
  expires_at: instant,
  /** The very one that asks. */
  this_one: yesOrNo,
})
const logins = object({ logins: list(loginView, 100_000) })
/** What was proven of the make when it was registered. `hash`: SHA-256 of the CA's DER, base64url. */
const attestation = object({
  format: text(32),
  trust: oneOf(['none', 'self', 'chain']),
  ca: optional(object({ subject: text(1024), hash: text(64) })),
})
const factorView = object({
  /** Of a passkey as its authenticator made it: what a lock names. */
  id: text(2048),
  kind: oneOf(factorKinds),
  name,
  make: optional(name),
  attestation: optional(attestation),
  synced: optional(yesOrNo),
  created_at: instant,
  last_used_at: optional(instant),
})
/** What a change of how people log in took: whose passkeys stopped working, and who could sign in and can no more. */
const taken = {
  lost: list(object({ user: name, passkeys: whole }), 100_000),
  shut_out: list(name, 100_000),
}
/** Of a user, as administrators see it: `id` is what a lock names. */
const listedFactor = object({
  id: text(2048),
  user: name,
  kind: oneOf(factorKinds),
  name,
  make: optional(name),
  created_at: instant,
  last_used_at: optional(instant),
})
/** `by`: who wrote it; left out where nobody did. */
const documentView = object({ document: anything, revision: text(64), by: optional(name), preset: yesOrNo })
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
    /** `recovery_codes`: how many are left. */
    answer: object({ factors: list(factorView, 1024), recovery_codes: whole }),
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
  ownTotpBegin: {
    method: 'POST',
    path: '/v1/me/totps/begin',
    summary: 'Begin adding an authenticator app: its key, and the page where a passkey approves it; writes nothing',
    auth: 'dpop',
    needs: { browser: true },
    body: object({ name, redirect_uri: text(2048), state: text(1024) }),
    answer: object({ approve_url: text(32_768), uri: text(2048), secret, sealed: text(256) }),
  },
  ownTotpAdd: {
    method: 'POST',
    path: '/v1/me/totps',
    summary: 'Add it, with a code that it shows (`new_code`) and the tap in the header Sallyport-Tap',
    auth: 'dpop',
    needs: { browser: true },
    body: object({ sealed: text(256), new_code: secret }),
    answer: object({ name }),
  },
  resourcesList: {
    method: 'GET',
    path: '/v1/resources',
    summary: 'What the roles of this user reach, or those of a user as whom he may act',
    auth: 'dpop',
    query: object({ impersonate: optional(name) }),
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
          allowed: principalLists,
          /** Whether each session wants a tap. */
          tap: yesOrNo,
        }),
        100_000,
      ),
    }),
  },
  hostsList: {
    method: 'GET',
    path: '/v1/hosts',
    summary: 'Hosts that are no resources, as the roles of this user name them, or those of a user as whom he may act',
    auth: 'dpop',
    query: object({ impersonate: optional(name) }),
    answer: object({
      hosts: list(
        object({
          /** `git.example.com`, `*.example.com`, `*`, an address or a range. */
          name,
          /** Each a number or a range, such as `8000-8080`. */
          ports: list(text(16), 64),
          /** Where it may lie: addresses, ranges, and `public`; left out, public, or what its name says. */
          networks: optional(list(name, 64)),
          role: name,
          /** Whether each session wants a tap. */
          tap: yesOrNo,
        }),
        100_000,
      ),
    }),
  },
  ...sessionOperations,
  ...whyOperations,
  cluster: {
    method: 'GET',
    path: '/v1/cluster',
    summary: 'The cluster: its root passkeys and signing keys',
    auth: 'dpop',
    needs: { may: { resource: 'cert_authority', verb: 'read' } },
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
    needs: { may: { resource: 'user', verb: 'list' } },
    answer: object({ users: list(userView, 100_000) }),
  },
  userAdd: {
    method: 'POST',
    path: '/v1/users',
    summary: 'Invite somebody: the tap names the user, the roles and the invite’s key',
    auth: 'dpop',
    needs: { may: { resource: 'user', verb: 'create' }, presence: 'tap' },
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
    needs: { may: { resource: 'user', verb: 'update' }, presence: 'tap' },
    /** `ttl` in seconds: 28800 where it is missing, 86400 at most. */
    body: object({ name, reset_key: vouchKey, ttl: optional(whole) }),
    answer: oneTimeLink,
  },
  userRemove: {
    method: 'DELETE',
    path: '/v1/users/{name}',
    summary: 'Remove a user with passkeys, passwords, codes, sessions and invite',
    auth: 'dpop',
    needs: { may: { resource: 'user', verb: 'delete' }, presence: 'tap-or-recent' },
    answer: object({ name }),
  },
  factorsList: {
    method: 'GET',
    path: '/v1/factors',
    summary: 'Passkeys and authenticator apps of all users, or of one',
    auth: 'dpop',
    needs: { may: { resource: 'user', verb: 'read' } },
    query: object({ user: optional(name) }),
    answer: object({ factors: list(listedFactor, 1_000_000) }),
  },
  proxiesList: {
    method: 'GET',
    path: '/v1/proxies',
    summary: 'Registered proxies',
    auth: 'dpop',
    needs: { may: { resource: 'proxy', verb: 'list' } },
    answer: object({ proxies: list(object({ id, name, registered_at: instant }), 10_000) }),
  },
  passkeysList: {
    method: 'GET',
    path: '/v1/users/{name}/passkeys',
    summary: 'The passkeys of a user, and which of them may approve administrative actions',
    auth: 'dpop',
    needs: { may: { resource: 'user', verb: 'read' } },
    answer: object({ passkeys: list(passkeyView, 1024) }),
  },
  passkeyEntrust: {
    method: 'POST',
    path: '/v1/users/{name}/passkeys/entrust',
    summary: 'Let a passkey of a user approve administrative actions and admit others',
    auth: 'dpop',
    needs: { may: { resource: 'user', verb: 'update' }, presence: 'tap' },
    /** What the user calls it. */
    body: object({ passkey: name }),
    answer: object({ user: name, passkey: name }),
  },
  loginsList: {
    method: 'GET',
    path: '/v1/logins',
    summary: 'Browser sessions and programs’ logins of all users, or of one',
    auth: 'dpop',
    needs: { may: { resource: 'session', verb: 'list' } },
    query: object({ user: optional(name) }),
    answer: logins,
  },
  loginEnd: {
    method: 'DELETE',
    path: '/v1/logins/{id}',
    summary: 'End one of them',
    auth: 'dpop',
    needs: { may: { resource: 'session', verb: 'delete' }, presence: 'tap-or-recent' },
    answer: loginView,
  },
  documentsList: {
    method: 'GET',
    path: '/v1/documents',
    summary: 'Users, roles, resources, locks and the preference about logins, as YAML documents have them',
    auth: 'dpop',
    /** What the caller's rules let him read. */
    needs: { browser: true },
    query: object({ kind: optional(oneOf(documentKinds)), name: optional(name) }),
    answer: object({ documents: list(documentView, 100_000) }),
  },
  documentsPut: {
    method: 'POST',
    path: '/v1/documents',
    summary:
      'Create them, all or none; with force replace those that exist, let passkeys stop working and people lose their way in',
    auth: 'dpop',
    needs: { presence: 'tap-or-recent' },
    /** `replaces`: the revision of the one document that was read and edited; empty where there was none. */
    body: object({ documents: list(anything, 100), force: optional(yesOrNo), replaces: optional(text(64)) }),
    answer: object({
      documents: list(
        object({ kind: name, name, revision: text(64), outcome: oneOf(['created', 'replaced', 'unchanged']) }),
        100,
      ),
      ...taken,
    }),
  },
  documentRemove: {
    method: 'DELETE',
    path: '/v1/documents/{kind}/{name}',
    summary: 'Remove one; of the preference about logins: the defaults hold again',
    auth: 'dpop',
    needs: { presence: 'tap-or-recent' },
    query: object({ force: optional(oneOf(['true'])) }),
    answer: object({ kind: name, name, ...taken }),
  },
  auditList: {
    method: 'GET',
    path: '/v1/audit',
    summary: 'What happened, newest first',
    auth: 'dpop',
    needs: { may: { resource: 'event', verb: 'list' } },
    query: object({ before: optional(text(16)), limit: optional(text(4)), user: optional(name), kind: optional(name) }),
    answer: object({ events: list(auditView, 1000), next: optional(whole) }),
  },
  keysRotate: {
    method: 'POST',
    path: '/v1/keys/rotate',
    summary: 'The next signing key signs from now on; nobody is logged out',
    auth: 'dpop',
    needs: { may: { resource: 'cert_authority', verb: 'rotate' }, presence: 'tap-or-recent' },
    body: object({}),
    answer: object({ current: name, next: name }),
  },
} as const satisfies Record<string, AnyOperation>
