/** Removing a certificate that a login has written. */
import { removeCertificate } from './db-certificate.ts'
import { Problem } from './problem.ts'
import { requireProfile } from './profiles.ts'
import { say } from './term.ts'

/** `kind`: for people. @throws Problem usage */
export function forgetCertificate(given: string | undefined, name: string, kind: string, list: string): 'ok' {
  const { name: profile } = requireProfile(given)
  if (!/^[a-z0-9-]{1,63}$/.test(name)) throw new Problem('usage', `${JSON.stringify(name)} is no name of ${kind}`, list)
  say(removeCertificate(profile, name) ? `${name}: the certificate is removed.` : `${name}: there was none.`)
  return 'ok'
}
