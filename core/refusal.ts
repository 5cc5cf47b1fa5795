/** Everything Sallyport may refuse, by name: [status, wire word, remedy]. A code without a row does not compile. */

/**
 * Codes that would tell an outsider which check failed share one word and one remedy. Rows are read top to bottom:
 * what stands in the way of a request, of a ceremony, of one passkey.
 */
const answers = {
  bad_request: [400, 'bad_request', 'Reload the page and try again.'],
  not_found: [404, 'not_found', 'Check the address.'],
  body_too_large: [413, 'body_too_large', 'Send at most 256 KiB.'],
  wrong_media_type: [415, 'wrong_media_type', 'Send JSON with Content-Type: application/json.'],
  wrong_host: [421, 'wrong_host', 'Use the public address of this cluster.'],
  wrong_origin: [403, 'forbidden', 'Open the page at the public address of this cluster and try again.'],
  too_many_attempts: [429, 'too_many_attempts', 'Wait a minute, then try again.'],
  unavailable: [503, 'unavailable', 'Try again in a moment.'],

  ticket_invalid: [401, 'refused', tryAgain()],
  ticket_expired: [401, 'refused', tryAgain()],
  ticket_spent: [401, 'refused', tryAgain()],
  wrong_cluster: [401, 'refused', tryAgain()],
  wrong_purpose: [401, 'refused', tryAgain()],
  wrong_holder: [401, 'refused', tryAgain()],
  wrong_user: [401, 'refused', tryAgain()],
  wrong_subject: [401, 'refused', tryAgain()],
  assertion_malformed: [401, 'refused', tryAgain()],
  assertion_wrong: [401, 'refused', tryAgain()],
  registration_wrong: [401, 'refused', tryAgain()],
  attestation_refused: [
    403,
    'authenticator_refused',
    'This cluster takes only certain authenticators: use another one, or ask an administrator which.',
  ],
  credential_unknown: [401, 'refused', tryAgain()],
  credential_changed: [401, 'refused', tryAgain()],
  // Told of no other but whoever has just shown the key: the counter is compared last, in the batch.
  counter_regressed: [
    401,
    'refused',
    'This key approved something else in between, such as another page: approve this once more. If that was not you, the key may have been copied: tell an administrator.',
  ],
  security_key_alone: [401, 'refused', tryAgain()],
  vouch_wrong: [401, 'refused', tryAgain()],
  preference_changed: [401, 'refused', tryAgain()],
  policy_changed: [409, 'policy_changed', 'Roles or resources changed meanwhile: try again.'],
  name_unknown: [401, 'refused', tryAgain()],
  password_missing: [401, 'refused', tryAgain()],
  password_wrong: [401, 'refused', tryAgain()],
  password_unreadable: [401, 'refused', tryAgain()],
  password_changed: [401, 'refused', tryAgain()],
  factor_missing: [401, 'refused', tryAgain()],
  factor_unwanted: [401, 'refused', tryAgain()],
  factors_changed: [401, 'refused', tryAgain()],
  code_wrong: [401, 'refused', tryAgain()],
  code_spent: [401, 'refused', tryAgain()],
  code_ungiven: [401, 'refused', tryAgain()],
  recovery_wrong: [401, 'refused', tryAgain()],
  operator_unproven: [401, 'refused', tryAgain()],

  session_missing: [401, 'sign_in', 'Sign in, then try again.'],
  link_invalid: [410, 'link_invalid', 'Ask for a new link: each works once, and not for long.'],
  administrator_missing: [409, 'administrator_missing', 'Make the first one: sallyport-edge init'],
  administrator_exists: [409, 'administrator_exists', 'Sign in; an administrator can invite others.'],
  passwordless_off: [
    403,
    'passwordless_off',
    'A passkey alone signs nobody in here: use your password together with your second factor.',
  ],
  passwords_off: [403, 'passwords_off', 'Sign in with a passkey: passwords are not used here.'],
  security_keys_off: [
    403,
    'security_keys_off',
    'Add a passkey: a security key signs in beside a password, and passwords are not used here.',
  ],
  codes_off: [403, 'codes_off', 'Use a passkey: codes are not used here.'],
  password_locked: [
    403,
    'password_locked',
    'Too many wrong attempts with this name: wait half an hour, or sign in with a passkey.',
  ],
  user_locked: [403, 'locked', 'Ask an administrator: a lock is in force.'],

  client_unknown: [400, 'invalid_client', 'Use a client that this cluster knows, such as the sallyport command.'],
  redirect_invalid: [
    400,
    'invalid_request',
    'A redirect goes to http://127.0.0.1:PORT/callback or http://[::1]:PORT/callback.',
  ],
  authorize_invalid: [400, 'invalid_request', 'Use a current client: PKCE with S256 and dpop_jkt are required.'],
  response_type_unsupported: [400, 'unsupported_response_type', 'Use response_type=code.'],
  scope_invalid: [400, 'invalid_scope', 'Ask for the scopes openid and api only.'],
  request_unsupported: [400, 'request_not_supported', 'Send the parameters themselves.'],
  interaction_required: [400, 'interaction_required', 'Approving a client wants a tap: do not ask with prompt=none.'],
  tap_refused: [403, 'access_denied', 'It was refused in the browser. Nothing was changed.'],

  token_request_invalid: [400, 'invalid_request', 'Send each parameter of the grant once, as a form.'],
  grant_unsupported: [400, 'unsupported_grant_type', 'Use authorization_code, refresh_token or the device code grant.'],
  code_invalid: [400, 'invalid_grant', signInAgain()],
  refresh_invalid: [400, 'invalid_grant', signInAgain()],
  client_session_missing: [400, 'invalid_grant', signInAgain()],
  client_session_ended: [400, 'invalid_grant', signInAgain()],
  device_pending: [400, 'authorization_pending', 'Nobody has answered yet: ask again after the interval.'],
  device_slow_down: [400, 'slow_down', 'Ask 5 seconds more seldom from now on.'],
  device_refused: [400, 'access_denied', 'It was refused in the browser.'],
  device_expired: [400, 'expired_token', 'Nobody answered within ten minutes: start again.'],
  device_code_invalid: [400, 'invalid_grant', 'Start again: sallyport login --headless'],
  device_flow_off: [
    400,
    'access_denied',
    'No role of this user allows it: ask an administrator for a role with device_flow: true in its options.',
  ],
  device_flow_busy: [503, 'unavailable', 'Too many logins wait for an answer: try again in a few minutes.'],
  user_code_unknown: [
    404,
    'user_code_unknown',
    'No login waits with this code. Compare it with the terminal, letter by letter; after ten minutes start again there.',
  ],
  device_code_answered: [
    409,
    'device_code_answered',
    'It was answered already, or has expired: start again in the terminal.',
  ],
  dpop_invalid: [401, 'invalid_dpop_proof', 'Send one DPoP proof (RFC 9449) made for this very request.'],
  dpop_replayed: [401, 'invalid_dpop_proof', 'Make a new DPoP proof for each request.'],
  dpop_clock: [
    401,
    'invalid_dpop_proof',
    'Set the clock of this machine: it differs from the server’s by more than 30 seconds.',
  ],
  dpop_nonce: [401, 'use_dpop_nonce', 'Repeat the request with the nonce in DPoP-Nonce.'],
  token_missing: [
    401,
    'invalid_token',
    'Send Authorization: DPoP with an access token. The sallyport command does: sallyport login',
  ],
  token_invalid: [401, 'invalid_token', 'Get a new access token; if that fails, sign in again: sallyport login'],
  scope_insufficient: [403, 'insufficient_scope', 'Sign in with the scope api.'],
  login_too_old: [
    401,
    'insufficient_user_authentication',
    'Sign in again, then repeat it within five minutes: sallyport login',
  ],
  login_headless: [
    403,
    'headless_login',
    'A headless login reaches resources and does nothing else. For this, sign in with a browser on this machine: sallyport login',
  ],
  role_missing: [403, 'forbidden', 'Ask an administrator for a role that may do this.'],
  tap_missing: [
    403,
    'tap_required',
    'This wants a tap that approves exactly this request: ask for it with POST /v1/taps, as the sallyport command does.',
  ],
  tap_impossible: [403, 'tap_impossible', 'No passkey of yours may do this: ask an administrator.'],
  passkey_missing: [
    403,
    'tap_impossible',
    'This wants a passkey, and you have none: ask an administrator for a link to register one (sallyport admin users reset NAME).',
  ],
  login_untapped: [
    401,
    'insufficient_user_authentication',
    'A code approved this login, and this wants one that a passkey approved. Ask an administrator for a link to register one, then: sallyport login',
  ],
  passkeys_lesser: [
    403,
    'tap_impossible',
    'None of your passkeys may approve this. An administrator whose passkey may can let yours: sallyport admin passkeys entrust USER PASSKEY',
  ],
  passkeys_elsewhere: [
    403,
    'passkeys_elsewhere',
    'Your passkeys were made for another name of this cluster, which it no longer takes: ask an administrator.',
  ],

  user_unknown: [404, 'user_unknown', 'See who is there: sallyport admin users ls'],
  user_waiting: [409, 'user_waiting', 'For a new link: sallyport admin users reset NAME'],
  role_unknown: [422, 'role_unknown', 'See which roles there are: sallyport admin get role'],
  own_account: [409, 'own_account', 'Another administrator can do this for you.'],
  own_role: [409, 'own_role', 'You hold this role: another administrator can change it for you.'],
  invite_ttl: [422, 'invite_ttl', 'An invite lives from one minute to 48 hours.'],
  reset_ttl: [422, 'reset_ttl', 'The link of a reset lives from one minute to 24 hours.'],
  last_vouching: [
    409,
    'last_vouching',
    'Nobody would be left whose passkey may admit others: an administrator who can do that must stay.',
  ],
  session_unknown: [404, 'session_unknown', 'It has ended, or never was: see which there are with sessions ls.'],
  login_unknown: [404, 'login_unknown', 'It has ended, or never was: see which there are with sessions ls.'],
  document_invalid: [
    422,
    'document_invalid',
    'Mend what is named, or use the version of the command that fits this server.',
  ],
  document_exists: [409, 'document_exists', 'Remove it first, or replace it: --force'],
  document_unknown: [404, 'document_unknown', 'See what is there: sallyport admin get all'],
  document_changed: [409, 'document_changed', 'Somebody else changed it meanwhile: look at it and try again.'],
  rp_id_unfit: [
    422,
    'rp_id_unfit',
    'Use the host of the public URL, a domain above it, or one whose related_origins name the public URL.',
  ],
  passkeys_lost: [409, 'passkeys_lost', 'Name the old rp_id in webauthn.former_rp_ids, or let them stop: --force'],
  ways_lost: [409, 'ways_lost', 'Let them set a password or register what is taken before, or shut them out: --force'],
  nobody_left: [
    409,
    'nobody_left',
    'Nobody could administer the cluster any more: name an old rp_id in webauthn.former_rp_ids, or give an administrator another way in before.',
  ],
  role_preset: [409, 'role_preset', 'A role of this name is built in: choose another name.'],
  role_held: [
    409,
    'role_held',
    'Somebody holds this role: take it from the user first (sallyport admin edit user/NAME), or keep the role.',
  ],
  event_unknown: [404, 'event_unknown', 'See what happened, with its numbers: sallyport admin audit ls'],
  keys_rotated: [409, 'keys_rotated', 'Somebody else rotated them meanwhile: look with sallyport admin status.'],

  proxy_unproven: [401, 'proxy_unproven', 'Register the proxy: sallyport-edge proxies add'],
  session_refused: [403, 'access_denied', ''],
  resource_unknown: [404, 'resource_unknown', 'See what there is: sallyport ls'],
  grant_invalid: [403, 'grant_invalid', 'Ask for the session again.'],
  grant_spent: [403, 'grant_invalid', 'Ask for the session again.'],
  protocol_unfit: [403, 'grant_invalid', 'Ask for the session again.'],
  tap_wanted: [403, 'tap_required', 'A role wants a tap for this session: use the sallyport command.'],
  target_invalid: [400, 'invalid_target', 'Name a resource and the proxy that is to open it.'],

  name_invalid: [422, 'name_invalid', "Use 1 to 64 letters, digits, spaces and . _ @ + ' -"],
  name_taken: [409, 'name_taken', 'Choose another name.'],
  passkey_unknown: [404, 'passkey_unknown', 'See which you have: sallyport mfa ls'],
  totp_unknown: [404, 'totp_unknown', 'See which you have: sallyport mfa ls'],
  passkey_vouches: [409, 'passkey_vouches', 'This passkey may approve administrative actions already.'],
  passkey_exists: [409, 'passkey_exists', 'This passkey is registered already: use another authenticator.'],
  password_weak: [
    422,
    'password_weak',
    'Use at least 12 characters that nobody would guess, such as four unrelated words.',
  ],
  proof_missing: [403, 'proof_required', 'Confirm it with a passkey; who has none, with the password and a code.'],
  last_factor: [409, 'last_factor', 'Add another way to sign in first: without this one you could not.'],
  new_code_wrong: [
    422,
    'new_code_wrong',
    'Type the code that the app shows now; if it does not fit either, let that device set its clock by itself.',
  ],
  too_many_factors: [409, 'too_many_factors', 'Remove an authenticator app first: eight are the most.'],
  last_passkey: [409, 'last_passkey', 'Add another passkey first: the last one cannot be removed.'],
} as const satisfies Record<string, readonly [status: number, word: string, remedy: string]>

function tryAgain() {
  return 'That did not work. Reload the page and try again; if it goes on, ask an administrator to read the audit log.' as const
}

function signInAgain() {
  return 'Sign in again: sallyport login' as const
}

export type RefusalCode = keyof typeof answers

/** Of a code that was written down, perhaps by another version. */
export const remedyFor = (code: string): string | undefined =>
  Object.hasOwn(answers, code) ? answers[code as RefusalCode][2] : undefined

export type RefusalDetail = Readonly<Record<string, string | number | boolean>>

export type RefusalOptions = ErrorOptions & { readonly told?: string }

/** A request that was understood and declined. `detail` goes to the audit log, never over the wire. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly detail: RefusalDetail

  /** A sentence for whoever has shown who he is: which field, which lock. Empty towards strangers. */
  readonly told: string

  constructor(code: RefusalCode, detail: RefusalDetail = {}, { told = '', ...options }: RefusalOptions = {}) {
    super(code, options)
    this.code = code
    this.detail = detail
    this.told = told
  }

  get status() {
    return answers[this.code][0]
  }
  /** What the wire is told, and all that it is told. */
  get word() {
    return answers[this.code][1]
  }
  get remedy() {
    return answers[this.code][2]
  }
  /** For people: what is the matter, as far as it may be told, and what to do. */
  get words(): string {
    return [this.told, this.remedy].filter((sentence) => sentence !== '').join(' ')
  }
}
