/** What went wrong, in words that say what to do. */
import { browserSupportsWebAuthn } from '@simplewebauthn/browser'
import { EdgeProblem } from './edge.ts'

export interface Words {
  readonly message: string
  readonly requestId?: string | undefined
  /** The session has ended: only signing in again helps. */
  readonly wantsSignIn?: boolean
}

/** WebAuthn Level 3 sections 5.1.3.1 and 5.1.4.4: browsers tell no more than these names, so that pages cannot probe. */
const ceremonyErrors: Readonly<Record<string, string>> = {
  NotAllowedError:
    'Nothing was approved: it was cancelled, it took too long, or this device has no passkey that fits or could not confirm that it is you. Try again.',
  InvalidStateError: 'This device or security key has a passkey of yours for this place already. Use another one.',
  NotSupportedError: 'This device or security key cannot make the kind of passkey that is needed. Use another one.',
  ConstraintError: 'This device or security key has no PIN, finger or face set up. Set one up, or use another one.',
  AbortError: 'Cancelled. Nothing was approved.',
  SecurityError: 'The browser allows no passkeys at this address. Open the public address of this cluster.',
  UnknownError: 'The device or security key failed. Take it out and put it in again, or use another one.',
}

export function inWords(error: unknown): Words {
  if (error instanceof EdgeProblem) {
    return { message: error.message, requestId: error.requestId, wantsSignIn: error.word === 'sign_in' }
  }
  const known = error instanceof Error ? ceremonyErrors[error.name] : undefined
  return { message: known ?? whyNoPasskeys() ?? 'Something went wrong in this page. Reload it and try again.' }
}

/** A proof by password that was refused: what was wrong with it, the edge tells nobody. */
export function proofRefused(error: unknown): unknown {
  if (!(error instanceof EdgeProblem && error.word === 'refused')) return error
  const { word, requestId } = error
  return new EdgeProblem(word, proofAdvice, { requestId, cause: error })
}

const proofAdvice =
  'That did not work. Check name, password and second factor, then try again. A code works once: wait for the next one. After five failures the name is locked for half an hour.'

/** Why passkeys cannot work here at all, or undefined. */
export function whyNoPasskeys(): string | undefined {
  if (!isSecureContext) return 'Passkeys need a secure connection: open this page with https.'
  if (!navigator.cookieEnabled) return 'Signing in needs cookies: allow them for this address.'
  if (!browserSupportsWebAuthn()) return 'This browser knows no passkeys. Use another one, or update it.'
  return undefined
}
