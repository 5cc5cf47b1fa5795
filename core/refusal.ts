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
  credential_unknown: [401, 'refused', tryAgain()],
  credential_changed: [401, 'refused', tryAgain()],
  counter_regressed: [401, 'refused', tryAgain()],
  vouch_wrong: [401, 'refused', tryAgain()],
  operator_unproven: [401, 'refused', tryAgain()],

  session_missing: [401, 'sign_in', 'Sign in, then try again.'],
  link_invalid: [410, 'link_invalid', 'Ask for a new link: each works once, for one hour, until a newer one is made.'],
  administrator_exists: [409, 'administrator_exists', 'Sign in; an administrator can invite others.'],
  name_invalid: [422, 'name_invalid', "Use 1 to 64 letters, digits, spaces and . _ @ + ' -"],
  name_taken: [409, 'name_taken', 'Choose another name.'],
  passkey_exists: [409, 'passkey_exists', 'This passkey is registered already: use another authenticator.'],
  last_passkey: [409, 'last_passkey', 'Add another passkey first: the last one cannot be removed.'],
} as const satisfies Record<string, readonly [status: number, word: string, remedy: string]>

function tryAgain() {
  return 'That did not work. Reload the page and try again; if it goes on, ask an administrator to read the audit log.' as const
}

export type RefusalCode = keyof typeof answers
export type RefusalDetail = Readonly<Record<string, string | number | boolean>>

/** A request that was understood and declined. `detail` goes to the audit log, never over the wire. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly detail: RefusalDetail

  constructor(code: RefusalCode, detail: RefusalDetail = {}, options?: ErrorOptions) {
    super(code, options)
    this.code = code
    this.detail = detail
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
}
