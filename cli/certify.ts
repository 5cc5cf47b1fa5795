/** A certificate for one resource, as `db login` and `app login` write it. */

import type { SessionOn } from '../core/access/policy.ts'
import type { ResourcePrincipal } from '../core/access/resource.ts'
import type { Session } from './api.ts'
import { keepCertificate, newCertificateKeys, thumbprintOf } from './db-certificate.ts'
import { grantToKeep } from './session.ts'
import { say } from './term.ts'

export interface CertificateWanted {
  readonly resource: SessionOn['resource']
  readonly principal: ResourcePrincipal
  /** How often one tap opens it. */
  readonly uses: number
  readonly impersonate: string | undefined
}

export interface Certificate {
  /** Certificate and key. */
  readonly file: string
  readonly until: number
  /** So often it opens a session; null: as often as it is shown. */
  readonly uses: number | null
}

/** The key is new each time: an old certificate opens nothing by a new grant. @throws Problem */
export async function certify(
  session: Session,
  wanted: CertificateWanted,
  opensBrowser: boolean,
): Promise<Certificate> {
  const { resource, principal, uses, impersonate } = wanted
  const keys = await newCertificateKeys()
  const certificate = { key: await thumbprintOf(keys), uses }
  const asked = { resource, principal, impersonate, certificate }
  const { grant, lifeMs, tapped } = await grantToKeep(session, asked, opensBrowser)
  const until = Date.now() + lifeMs
  const file = await keepCertificate(session.name, resource.name, keys, { grant, until })
  return { file, until, uses: tapped ? uses : null }
}

/** What it is of. */
export function sayHowOften(what: string, { uses, until }: Pick<Certificate, 'uses' | 'until'>): void {
  const often = uses === null ? 'as often as you like' : uses === 1 ? 'once' : `${uses} times`
  say(`It opens the ${what} ${often}, until ${new Date(until).toLocaleTimeString()}.`)
}
