/** What our own pages call: ceremonies, with this browser's cookies. */

import { credentialKinds } from '../model.ts'
import { code, password } from './factor-operations.ts'
import { authorizeRequest } from './oauth-operations.ts'
import type { AnyOperation } from './operation.ts'
import { anything, list, object, oneOf, optional, text, whole, yesOrNo } from './shape.ts'
import { assertion, registration, ticket, vouchKey } from './webauthn.ts'

const name = text(256)
/** Seconds since 1970, as on every wire. */
const instant = whole
const secret = text(64)
const userCode = text(64)
/** Where a page goes on. */
const location = object({ location: text(16_384) })
const begun = object({ ticket, options: anything })
/** Without options: it takes what `current` says, where the preference knows only codes. */
const approvalBegun = object({ ticket, options: optional(anything) })
const approval = { ticket, assertion: optional(assertion), current: optional(object({ password, code })) }
const empty = object({})

export const loginOperations = {
  loginBegin: {
    method: 'POST',
    path: '/v1/login/begin',
    summary: 'Begin signing in with a passkey',
    auth: 'page',
    /** A relying party of before, for a passkey that was made for it. */
    body: object({ rp_id: optional(text(253)) }),
    answer: begun,
  },
  loginFinish: {
    method: 'POST',
    path: '/v1/login/finish',
    summary: 'Finish signing in: opens a browser session',
    auth: 'page',
    body: object({ ticket, assertion, next: optional(text(16_384)) }),
    answer: location,
  },
  passwordLoginBegin: {
    method: 'POST',
    path: '/v1/login/password/begin',
    summary: 'Begin signing in with a password: which second factors are taken, and the passkeys to ask for',
    auth: 'page',
    body: object({ name }),
    answer: object({
      ticket,
      factors: list(oneOf(['webauthn', 'otp', 'recovery']), 3),
      second_factor: oneOf(['required', 'optional', 'off']),
      options: optional(anything),
    }),
  },
  passwordLoginFinish: {
    method: 'POST',
    path: '/v1/login/password/finish',
    summary: 'Finish it, with one second factor at most: opens a browser session',
    auth: 'page',
    body: object({
      ...{ ticket, name, password },
      assertion: optional(assertion),
      code: optional(code),
      recovery_code: optional(code),
      next: optional(text(16_384)),
    }),
    answer: location,
  },
  logout: {
    method: 'POST',
    path: '/v1/logout',
    summary: 'Sign out of this browser',
    auth: 'page',
    body: empty,
    answer: location,
  },
  sessionEnd: {
    method: 'POST',
    path: '/v1/sessions/{id}/end',
    summary: 'End a browser session of one’s own',
    auth: 'page',
    body: empty,
    answer: location,
  },
  clientSessionEnd: {
    method: 'POST',
    path: '/v1/client-sessions/{id}/end',
    summary: 'End a login of a command-line client of one’s own',
    auth: 'page',
    body: empty,
    answer: location,
  },
  connectionEnd: {
    method: 'POST',
    path: '/v1/connections/{id}/end',
    summary: 'End a session of one’s own that is open on a resource',
    auth: 'page',
    body: empty,
    answer: location,
  },
  firstAdministratorCheck: {
    method: 'POST',
    path: '/v1/first-administrator/check',
    summary: 'Whether the first administrator’s link still works',
    auth: 'page',
    body: object({ secret }),
    answer: object({ expires_at: instant }),
  },
  firstAdministratorBegin: {
    method: 'POST',
    path: '/v1/first-administrator/begin',
    summary: 'Begin registering the first administrator',
    auth: 'page',
    body: object({ secret, name }),
    answer: begun,
  },
  firstAdministratorFinish: {
    method: 'POST',
    path: '/v1/first-administrator/finish',
    summary: 'Register the first administrator with the root passkey',
    auth: 'page',
    body: object({ secret, ticket, registration }),
    answer: location,
  },
  firstAdministratorOffer: {
    method: 'POST',
    path: '/v1/first-administrator/offer',
    summary: 'Offer a link for the first administrator, proven by SALLYPORT_KEY',
    auth: 'page',
    body: object({ link: secret, id: secret, iat: whole, proof: secret }),
    answer: object({ expires_at: instant }),
  },
  recoveryCheck: {
    method: 'POST',
    path: '/v1/recovery/check',
    summary: 'Whom a recovery is for, and whether its link still works',
    auth: 'page',
    body: object({ secret }),
    answer: object({ name, is_new: yesOrNo, expires_at: instant }),
  },
  recoveryBegin: {
    method: 'POST',
    path: '/v1/recovery/begin',
    summary: 'Begin registering the root passkey of a recovery',
    auth: 'page',
    body: object({ secret }),
    answer: begun,
  },
  recoveryFinish: {
    method: 'POST',
    path: '/v1/recovery/finish',
    summary: 'Register it: earlier passkeys, passwords, codes and sessions of the user are removed',
    auth: 'page',
    body: object({ secret, ticket, registration }),
    answer: location,
  },
  recoveryOffer: {
    method: 'POST',
    path: '/v1/recovery/offer',
    summary: 'Offer a link for the recovery of an administrator, proven by SALLYPORT_KEY',
    auth: 'page',
    body: object({ name, link: secret, id: secret, iat: whole, proof: secret }),
    answer: object({ expires_at: instant }),
  },
  inviteCheck: {
    method: 'POST',
    path: '/v1/invites/check',
    summary: 'Whom the link of an invite or a reset is for, and whether it still works',
    auth: 'page',
    body: object({ invite: secret }),
    answer: object({
      kind: oneOf(['invite', 'reset']),
      name,
      roles: list(name, 64),
      invited_by: name,
      made_at: instant,
      expires_at: instant,
      key: vouchKey,
    }),
  },
  inviteBegin: {
    method: 'POST',
    path: '/v1/invites/begin',
    summary: 'Begin registering the passkey of somebody invited',
    auth: 'page',
    body: object({ invite: secret }),
    answer: object({ ticket, options: anything, approved: anything }),
  },
  inviteFinish: {
    method: 'POST',
    path: '/v1/invites/finish',
    summary: 'Register it, with the invite key’s signature over it',
    auth: 'page',
    body: object({ invite: secret, ticket, registration, signature: text(128) }),
    answer: location,
  },
} as const satisfies Record<string, AnyOperation>

export const passkeyOperations = {
  passkeyAddBegin: {
    method: 'POST',
    path: '/v1/passkeys/begin',
    summary: 'Begin adding a passkey, or a security key (`kind`)',
    auth: 'page',
    body: object({ kind: optional(oneOf(credentialKinds)), name, vouch_key: vouchKey }),
    answer: object({ ticket, tap: anything, create: anything }),
  },
  passkeyAddFinish: {
    method: 'POST',
    path: '/v1/passkeys/finish',
    summary: 'Add it, with a tap of one that is there',
    auth: 'page',
    body: object({ ticket, assertion, registration, vouch_key: vouchKey, vouch_signature: text(128) }),
    answer: location,
  },
  passkeyRemoveBegin: {
    method: 'POST',
    path: '/v1/passkeys/{id}/remove/begin',
    summary: 'Begin removing a passkey or a security key',
    auth: 'page',
    body: empty,
    answer: begun,
  },
  passkeyRemove: {
    method: 'POST',
    path: '/v1/passkeys/{id}/remove',
    summary: 'Remove it, with a tap of another',
    auth: 'page',
    body: object({ ticket, assertion }),
    answer: location,
  },
} as const satisfies Record<string, AnyOperation>

/** How a tap reaches a program that waits for it: by a redirect to its loopback address, as a code does. */
export const waiting = { redirect_uri: text(2048), state: text(1024) }

export const tapOperations = {
  authorizeBegin: {
    method: 'POST',
    path: '/v1/authorize/begin',
    summary: 'Begin approving a client: the intent of exactly its request',
    auth: 'page',
    body: object({ request: authorizeRequest }),
    answer: approvalBegun,
  },
  authorizeFinish: {
    method: 'POST',
    path: '/v1/authorize/finish',
    summary: 'Approve it with a tap, or with password and code where those are all: the client gets a code',
    auth: 'page',
    body: object({ request: authorizeRequest, ...approval }),
    answer: location,
  },
  authorizeRefuse: {
    method: 'POST',
    path: '/v1/authorize/refuse',
    summary: 'Refuse it: the client is told access_denied',
    auth: 'page',
    body: object({ request: authorizeRequest }),
    answer: location,
  },
  deviceBegin: {
    method: 'POST',
    path: '/v1/device/begin',
    summary: 'Begin approving a program that shows a code (RFC 8628): the intent of exactly its request',
    auth: 'page',
    body: object({ user_code: userCode }),
    answer: approvalBegun,
  },
  deviceFinish: {
    method: 'POST',
    path: '/v1/device/finish',
    summary: 'Approve it, as a client: the program gets tokens at its next poll',
    auth: 'page',
    body: object({ user_code: userCode, ...approval }),
    answer: location,
  },
  deviceRefuse: {
    method: 'POST',
    path: '/v1/device/refuse',
    summary: 'Refuse it: the program is told access_denied',
    auth: 'page',
    body: object({ user_code: userCode }),
    answer: location,
  },
  tapBegin: {
    method: 'POST',
    path: '/v1/taps',
    summary:
      'Ask for a tap that approves one administrative request, whose operation, parameters, query and body these are; writes nothing',
    auth: 'dpop',
    needs: { browser: true },
    body: object({
      operation: name,
      /** Of its path, by name. */
      parameters: optional(anything),
      query: optional(anything),
      body: optional(anything),
      ...waiting,
    }),
    /** `tap`: false where a login as recent as this one is enough. `changes`: the difference that it makes, in lines. */
    answer: object({
      tap: yesOrNo,
      ticket: optional(ticket),
      approve_url: optional(text(65_536)),
      changes: optional(text(4_194_304)),
    }),
  },
  tapOptions: {
    method: 'POST',
    path: '/v1/taps/options',
    summary: 'What the page asks the browser for, for a ticket that it shows',
    auth: 'page',
    body: object({ ticket }),
    answer: object({ options: anything }),
  },
  tapCode: {
    method: 'POST',
    path: '/v1/taps/code',
    summary:
      'Approve the sessions of a ticket with a code, where the preference knows only codes: the program brings the ticket and `app`',
    auth: 'page',
    body: object({ ticket, code: text(64) }),
    answer: object({ app: text(64) }),
  },
  tapRefuse: {
    method: 'POST',
    path: '/v1/taps/refuse',
    summary: 'Refuse what a ticket asks for: the program that waits is told access_denied',
    auth: 'page',
    body: object({ ticket, ...waiting }),
    answer: location,
  },
  tapDisown: {
    method: 'POST',
    path: '/v1/taps/disown',
    summary: 'Refuse what a ticket asks for and end the login of the program that asked: this user did not',
    auth: 'page',
    body: object({ ticket }),
    answer: location,
  },
} as const satisfies Record<string, AnyOperation>
