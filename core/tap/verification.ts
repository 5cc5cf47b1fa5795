/**
 * Who must verify the user (a PIN, a finger, a face) when a key is tapped. Two factors stand behind whatever is approved. A passkey is
 * both at once, so it always verifies. A security key may be in anybody's hand: it counts only where something stands beside it that
 * its thief has not, and this table says where that is. So a stolen security key alone opens nothing.
 */
import { membersOf, type Purpose, type Subjects } from '../intent.ts'
import type { Credential, CredentialKind } from '../model.ts'

/**
 * `password`: of this very login. `login`: whoever is asked is signed in, by two factors where the cluster wants them (what the holder
 * of the cookie or of the program's key shows). `nothing`: the tap is all that there is.
 */
type Beside = 'password' | 'login' | 'nothing'

const beside: Readonly<Record<Purpose, Beside>> = {
  // But with a password: see below.
  login: 'nothing',
  cli: 'login',
  session: 'login',
  // What lets others in takes the tap of a key that may vouch, which is never a security key.
  admin: 'login',
  register: 'login',
  presence: 'login',
  // Chains of vouches are checked by who sees no login beside them.
  vouch: 'nothing',
  // Of machines and of the operator's link.
  recovery: 'nothing',
  'device-enroll': 'nothing',
  device: 'nothing',
  'device-web': 'nothing',
}

const besideOf = <P extends Purpose>(purpose: P, subject: Subjects[P]): Beside =>
  purpose === 'login' && membersOf(subject)['kind'] === 'password' ? 'password' : beside[purpose]

/** Whether presence is not enough. */
export function wantsVerification<P extends Purpose>(kind: CredentialKind, purpose: P, subject: Subjects[P]): boolean {
  if (purpose === 'presence') return false
  // What is no security key, or not known to be one, is held to more.
  return kind !== 'security_key' || besideOf(purpose, subject) === 'nothing'
}

/**
 * What a browser is told (WebAuthn Level 3 section 5.8.6). With both kinds in one list it must not insist, since a security key may be
 * unable to; `preferred` makes every authenticator verify that can, so that a passkey among them does.
 */
export function verificationFor(
  allowed: readonly Pick<Credential, 'kind'>[],
): 'required' | 'preferred' | 'discouraged' {
  if (allowed.every(({ kind }) => kind === 'passkey')) return 'required'
  return allowed.every(({ kind }) => kind === 'security_key') ? 'discouraged' : 'preferred'
}
